// DeleteTopics removes topics, by name or by id (KIP-516). Kafka: ControllerApis.scala (deleteTopics).
import { DeleteTopics } from '../../protocol/messages/20-delete-topics.ts'
import { deleteTopics as decide } from '../cluster/controller.ts'
import { handler } from './handler.ts'

export const deleteTopics = handler(
  DeleteTopics,
  {
    barrier: true,
    onError: (request, error) => ({
      responses: [
        ...request.topicNames.map(name => ({ name, errorCode: error.code, errorMessage: error.message })),
        ...request.topics.map(({ name, topicId }) => ({
          name,
          topicId,
          errorCode: error.code,
          errorMessage: error.message,
        })),
      ],
    }),
  },
  (request, { broker, apiVersion }) =>
    broker.metadata.submit(image =>
      decide(image, request, { enabled: broker.config['delete.topic.enable'], apiVersion }),
    ),
)
