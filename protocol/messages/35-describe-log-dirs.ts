// DescribeLogDirs tells the size of partitions in each log directory (KIP-113); a null list asks for all.
// v3: error of the whole answer, v4: bytes in all and usable (KIP-827), v5: cordoned directories. v0 is gone in
// Kafka 4.0.
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
