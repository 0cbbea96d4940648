// ShareAcknowledge acknowledges records that a member of a share group acquired (KIP-932).
// v0 was early access and is not defined here. v2: renewal of locks (KIP-1222).
import { api } from '../api.ts'
import { array, int16, int32, int64, int8, nullable, since, string, struct, uuid } from '../schema.ts'

export const ShareAcknowledge = api(79, 'ShareAcknowledge', {
  versions: [1, 2],
  flexible: 0,
  request: {
    groupId: nullable.string.or(null),
    memberId: nullable.string,
    shareSessionEpoch: int32,
    isRenewAck: since(2).bool.or(false),
    topics: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        acknowledgementBatches: array({
          firstOffset: int64,
          lastOffset: int64,
          acknowledgeTypes: array(int8),
        }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: nullable.string.or(null),
    acquisitionLockTimeoutMs: since(2).ignorable.int32,
    responses: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: nullable.string.or(null),
        currentLeader: struct({
          leaderId: int32,
          leaderEpoch: int32,
        }),
      }),
    }),
    nodeEndpoints: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: nullable.string.or(null),
    }),
  },
})
