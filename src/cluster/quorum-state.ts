/**
 * `__cluster_metadata-0/quorum-state` as a quorum of one keeps it (FileQuorumStateStore.java): data version 0, which is
 * what Kafka writes while kraft.version is 0, that is for a fixed set of voters.
 */

/** The state of a quorum whose one voter leads it. */
export const formatQuorumState = (leaderId: number, leaderEpoch: number): Buffer =>
  Buffer.from(
    JSON.stringify({
      clusterId: '',
      leaderId,
      leaderEpoch,
      votedId: -1,
      appliedOffset: 0,
      currentVoters: [{ voterId: leaderId }],
      data_version: 0,
    }),
  )
