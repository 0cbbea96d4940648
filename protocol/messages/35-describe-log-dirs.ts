// DescribeLogDirs.
import { api } from '../api.ts'
import { array, bool, int16, int32, int64, nullable, since, string } from '../schema.ts'

export const DescribeLogDirs = api(35, 'DescribeLogDirs', {
  versions: [0, 5],
  flexible: 2,
  request: {
    topics: nullable.array({
      topic: string,
      partitions: array(int32),
    }),
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: since(3).ignorable.int16,
    results: array({
      errorCode: int16,
      logDir: string,
      topics: array({
        name: string,
        partitions: array({
          partitionIndex: int32,
          partitionSize: int64,
          offsetLag: int64,
          isFutureKey: bool,
        }),
      }),
      totalBytes: since(4).ignorable.int64.or(-1),
      usableBytes: since(4).ignorable.int64.or(-1),
      isCordoned: since(5).ignorable.bool.or(false),
    }),
  },
})
