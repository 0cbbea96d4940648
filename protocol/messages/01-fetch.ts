// Fetch reads batches of several partitions from given offsets; consumers and followers send it.
// v1: throttle time, v2: magic 1, v3: bytes bounded over the whole answer, partitions in the order asked for
// (KIP-74), v4: isolation level, aborted transactions and magic 2 (KIP-98), v5: log start offset, v7: fetch
// sessions (KIP-227), v9: leader epoch fencing (KIP-320), v10: zstd, v11: rack and preferred replica (KIP-392),
// v12: truncation by epoch and current leader (KIP-595), v13: topic ids (KIP-516), v14:
// OFFSET_MOVED_TO_TIERED_STORAGE (KIP-405), v15: replica state instead of replica id (KIP-903), v16: endpoints of
// new leaders (KIP-951), v17: directory ids of followers (KIP-853), v18: the follower's high watermark (KIP-1166).
import { api } from '../api.ts'
import { array, int16, int32, int64, nullable, since, string, until } from '../schema.ts'

export const Fetch = api(1, 'Fetch', {
  versions: [0, 18],
  flexible: 12,
  request: {
    /** Set by followers alone; a broker of another cluster refuses. */
    clusterId: since(12).nullable.tag(0).ignorable.string.or(null),
    replicaId: until(14).int32.or(-1),
    replicaState: since(15)
      .tag(1)
      .struct({
        replicaId: int32.or(-1),
        replicaEpoch: int64.or(-1),
      }),
    /** How long the answer may wait for minBytes. */
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: since(3).ignorable.int32.or(0x7fffffff),
    /** 0 read uncommitted, 1 read committed. */
    isolationLevel: since(4).ignorable.int8.or(0),
    sessionId: since(7).ignorable.int32.or(0),
    /** -1 none, 0 a new session, else the next of an existing one. */
    sessionEpoch: since(7).ignorable.int32.or(-1),
    topics: array({
      topic: until(12).ignorable.string,
      topicId: since(13).ignorable.uuid,
      partitions: array({
        partition: int32,
        currentLeaderEpoch: since(9).ignorable.int32.or(-1),
        fetchOffset: int64,
        lastFetchedEpoch: since(12).int32.or(-1),
        logStartOffset: since(5).ignorable.int64.or(-1),
        partitionMaxBytes: int32,
        replicaDirectoryId: since(17).tag(0).ignorable.uuid,
        highWatermark: since(18)
          .tag(1)
          .ignorable.int64.or(2 ** 63),
      }),
    }),
    /** Partitions to take out of the session. */
    forgottenTopicsData: since(7).array({
      topic: until(12).ignorable.string,
      topicId: since(13).ignorable.uuid,
      partitions: array(int32),
    }),
    rackId: since(11).ignorable.string.or(''),
  },
  response: {
    throttleTimeMs: since(1).ignorable.int32.or(0),
    errorCode: since(7).ignorable.int16,
    sessionId: since(7).int32.or(0),
    responses: array({
      topic: until(12).ignorable.string,
      topicId: since(13).ignorable.uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        highWatermark: int64,
        lastStableOffset: since(4).ignorable.int64.or(-1),
        logStartOffset: since(5).ignorable.int64.or(-1),
        /** Where the log parts from that of the follower. */
        divergingEpoch: since(12)
          .tag(0)
          .struct({
            epoch: int32.or(-1),
            endOffset: int64.or(-1),
          }),
        currentLeader: since(12)
          .tag(1)
          .struct({
            leaderId: int32.or(-1),
            leaderEpoch: int32.or(-1),
          }),
        snapshotId: since(12)
          .tag(2)
          .struct({
            endOffset: int64.or(-1),
            epoch: int32.or(-1),
          }),
        /** For read committed: whose records to skip, from which offset on; else null. */
        abortedTransactions: since(4).nullable.ignorable.array({
          producerId: int64,
          firstOffset: int64,
        }),
        /** -1 unless the client should fetch elsewhere. */
        preferredReadReplica: since(11).int32.or(-1),
        records: nullable.records,
      }),
    }),
    nodeEndpoints: since(16)
      .tag(0)
      .array({
        nodeId: int32,
        host: string,
        port: int32,
        rack: nullable.string.or(null),
      }),
  },
})
