// WriteTxnMarkers ends transactions in the partitions led here: coordinators of other brokers send it, and administrators
// who abort a hanging transaction. Kafka: KafkaApis.scala (handleWriteTxnMarkersRequest); KIP-664, KIP-1228.
import { WriteTxnMarkers } from '../../protocol/messages/27-write-txn-markers.ts'
import { byTopic } from './by-topic.ts'
import { handler } from './handler.ts'

export const writeTxnMarkers = handler(
  WriteTxnMarkers,
  {
    onError: (request, error) => ({
      markers: request.markers.map(({ producerId, topics }) => ({
        producerId,
        topics: topics.map(({ name, partitionIndexes }) => ({
          name,
          partitions: partitionIndexes.map(partitionIndex => ({ partitionIndex, errorCode: error.code })),
        })),
      })),
    }),
  },
  async (request, { broker }) => ({
    markers: await Promise.all(
      request.markers.map(async ({ topics, transactionResult, ...marker }) => {
        const to = topics.flatMap(({ name, partitionIndexes }) =>
          partitionIndexes.map(partition => ({ topic: name, partition })),
        )
        const codes = await broker.transactions.writeMarkers({ ...marker, commit: transactionResult }, to)
        const results = to.map(({ topic, partition }, i) => ({
          topic,
          partitionIndex: partition,
          errorCode: codes[i]!,
        }))
        return {
          producerId: marker.producerId,
          topics: Array.from(byTopic(results), ([name, partitions]) => ({ name, partitions })),
        }
      }),
    ),
  }),
)
