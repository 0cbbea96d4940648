// Produce.
import { api } from '../api.ts'
import { array, int16, int32, int64, nullable, since, string, until } from '../schema.ts'

export const Produce = api(0, 'Produce', {
  versions: [0, 13],
  flexible: 9,
  request: {
    transactionalId: since(3).nullable.string.or(null),
    acks: int16,
    timeoutMs: int32,
    topicData: array({
      name: until(12).ignorable.string,
      topicId: since(13).ignorable.uuid,
      partitionData: array({
        index: int32,
        records: nullable.records,
      }),
    }),
  },
  response: {
    responses: array({
      name: until(12).ignorable.string,
      topicId: since(13).ignorable.uuid,
      partitionResponses: array({
        index: int32,
        errorCode: int16,
        baseOffset: int64,
        logAppendTimeMs: since(2).ignorable.int64.or(-1),
        logStartOffset: since(5).ignorable.int64.or(-1),
        recordErrors: since(8).ignorable.array({
          batchIndex: int32,
          batchIndexErrorMessage: nullable.string.or(null),
        }),
        errorMessage: since(8).nullable.ignorable.string.or(null),
        currentLeader: since(10)
          .tag(0)
          .struct({
            leaderId: int32.or(-1),
            leaderEpoch: int32.or(-1),
          }),
      }),
    }),
    throttleTimeMs: since(1).ignorable.int32.or(0),
    nodeEndpoints: since(10)
      .tag(0)
      .array({
        nodeId: int32,
        host: string,
        port: int32,
        rack: nullable.string.or(null),
      }),
  },
})
