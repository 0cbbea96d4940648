// The file <offset>.snapshot beside a segment: producers at that offset, the version (1) in front.
import { message } from '../api.ts'
import { array, int16, int32, int64, uint32 } from '../schema.ts'

export const ProducerSnapshot = message('ProducerSnapshot', {
  versions: [1, 1],
  fields: {
    /** CRC-32C of what follows it. */
    crc: uint32,
    producerEntries: array({
      producerId: int64,
      epoch: int16,
      lastSequence: int32,
      lastOffset: int64,
      offsetDelta: int32,
      timestamp: int64,
      coordinatorEpoch: int32,
      currentTxnFirstOffset: int64,
    }),
  },
})
