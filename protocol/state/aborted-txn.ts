// One entry of a segment's .txnindex: an aborted transaction, the version (0) in front.
import { message } from '../api.ts'
import { int64 } from '../schema.ts'

export const AbortedTxn = message('AbortedTxn', {
  versions: [0, 0],
  fields: {
    producerId: int64,
    firstOffset: int64,
    lastOffset: int64,
    lastStableOffset: int64,
  },
})
