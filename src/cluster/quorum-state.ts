/**
 * `__cluster_metadata-0/quorum-state` as a quorum of one keeps it (FileQuorumStateStore.java): data version 0 while
 * kraft.version is 0, that is for a fixed set of voters; version 1 where the voters stand in the log (KIP-853).
 */
import type { Quorum } from './quorum.ts'
import { ZERO_UUID } from './records.ts'

/** The state of a quorum whose one voter leads it. */
export const formatQuorumState = (leaderId: number, leaderEpoch: number, { kraftVersion }: Quorum): Buffer =>
  Buffer.from(
    JSON.stringify(
      kraftVersion > 0
        ? { leaderId, leaderEpoch, votedId: -1, votedDirectoryId: ZERO_UUID, data_version: 1 }
        : {
            clusterId: '',
            leaderId,
            leaderEpoch,
            votedId: -1,
            appliedOffset: 0,
            currentVoters: [{ voterId: leaderId }],
            data_version: 0,
          },
    ),
  )
