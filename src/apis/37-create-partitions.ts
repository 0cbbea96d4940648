// CreatePartitions lets topics grow (KIP-195). Kafka: ControllerApis.scala (createPartitions).
import { CreatePartitions } from '../../protocol/messages/37-create-partitions.ts'
import { createPartitions as decide } from '../cluster/controller.ts'
import { handler } from './handler.ts'

export const createPartitions = handler(
  CreatePartitions,
  {
    barrier: true,
    onError: (request, error) => ({
      results: request.topics.map(({ name }) => ({ name, errorCode: error.code, errorMessage: error.message })),
    }),
  },
  (request, { broker }) => broker.metadata.submit(image => decide(image, request)),
)
