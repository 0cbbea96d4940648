// Heartbeat keeps a classic member alive and tells it of a rebalance.
// v1: throttle time, v3: static members (KIP-345).
import { api } from '../api.ts'
import { int16, int32, since, string } from '../schema.ts'

export const Heartbeat = api(12, 'Heartbeat', {
  versions: [0, 4],
  flexible: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3).nullable.string.or(null),
  },
  response: {
    throttleTimeMs: since(1).ignorable.int32.or(0),
    errorCode: int16,
  },
})
