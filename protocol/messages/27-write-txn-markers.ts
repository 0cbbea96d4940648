// WriteTxnMarkers has a leader write the end of transactions into its partitions; transaction coordinators send it
// (KIP-98). v2: the transaction's version (KIP-1228). v0 is gone in Kafka 4.0.
import { api } from '../api.ts'
import { array, bool, int16, int32, int64, since, string } from '../schema.ts'

export const WriteTxnMarkers = api(27, 'WriteTxnMarkers', {
  versions: [0, 2],
  flexible: 1,
  request: {
    markers: array({
      producerId: int64,
      producerEpoch: int16,
      transactionResult: bool,
      topics: array({
        name: string,
        partitionIndexes: array(int32),
      }),
      coordinatorEpoch: int32,
      transactionVersion: since(2).ignorable.int8.or(0),
    }),
  },
  response: {
    markers: array({
      producerId: int64,
      topics: array({
        name: string,
        partitions: array({
          partitionIndex: int32,
          errorCode: int16,
        }),
      }),
    }),
  },
})
