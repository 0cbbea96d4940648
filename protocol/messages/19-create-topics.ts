// CreateTopics makes topics, with partition counts or with replicas given by hand; the controller's work.
// v1: error messages, dry run; v2: throttle time, v4: -1 for the broker's defaults (KIP-464), v5: the
// configuration made (KIP-525), v6: THROTTLING_QUOTA_EXCEEDED (KIP-599), v7: topic ids (KIP-516).
import { api } from '../api.ts'
import { array, bool, ignorable, int16, int32, nullable, since, string } from '../schema.ts'

export const CreateTopics = api(19, 'CreateTopics', {
  versions: [0, 7],
  flexible: 5,
  request: {
    topics: array({
      name: string,
      /** -1: the broker's default, or replicas given by hand. */
      numPartitions: int32,
      replicationFactor: int16,
      /** Replicas by hand; empty: the controller chooses. */
      assignments: array({
        partitionIndex: int32,
        brokerIds: array(int32),
      }),
      configs: array({
        name: string,
        value: nullable.string,
      }),
    }),
    timeoutMs: int32.or(60000),
    validateOnly: since(1).bool.or(false),
  },
  response: {
    throttleTimeMs: since(2).ignorable.int32.or(0),
    topics: array({
      name: string,
      topicId: since(7).ignorable.uuid,
      errorCode: int16,
      errorMessage: since(1).nullable.ignorable.string,
      topicConfigErrorCode: since(5).tag(0).ignorable.int16,
      numPartitions: since(5).ignorable.int32.or(-1),
      replicationFactor: since(5).ignorable.int16.or(-1),
      configs: since(5).nullable.ignorable.array({
        name: string,
        value: nullable.string,
        readOnly: bool,
        configSource: ignorable.int8.or(-1),
        isSensitive: bool,
      }),
    }),
  },
})
