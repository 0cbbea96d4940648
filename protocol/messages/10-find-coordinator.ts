// FindCoordinator names the broker that coordinates a group (type 0), a transactional id (1) or a share partition
// (2). v1: key type, error message, throttle time (KIP-98); v4: several keys at once, in another layout (KIP-699);
// v5: TRANSACTION_ABORTABLE (KIP-890); v6: share groups, key "group:topicId:partition" (KIP-932).
import { api } from '../api.ts'
import { int16, int32, nullable, since, string, until } from '../schema.ts'

export const FindCoordinator = api(10, 'FindCoordinator', {
  versions: [0, 6],
  flexible: 3,
  request: {
    key: until(3).string,
    /** 0 group, 1 transaction, 2 share partition. */
    keyType: since(1).int8.or(0),
    coordinatorKeys: since(4).array(string),
  },
  response: {
    throttleTimeMs: since(1).ignorable.int32.or(0),
    errorCode: until(3).int16,
    errorMessage: since(1).until(3).nullable.ignorable.string,
    nodeId: until(3).int32,
    host: until(3).string,
    port: until(3).int32,
    coordinators: since(4).array({
      key: string,
      nodeId: int32,
      host: string,
      port: int32,
      errorCode: int16,
      errorMessage: nullable.ignorable.string,
    }),
  },
})
