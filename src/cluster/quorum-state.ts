/**
 * `__cluster_metadata-0/quorum-state`: who led the metadata quorum last (FileQuorumStateStore.java). One line of JSON
 * in data version 0, which is what Kafka writes while kraft.version is 0, that is for a fixed set of voters. Version 1
 * (kraft.version 1) is read too.
 */

export interface QuorumState {
  readonly leaderId: number
  readonly leaderEpoch: number
}

/** Throws an Error with one sentence when the file is not Kafka's. */
export function parseQuorumState(data: Buffer): QuorumState {
  const bad = (why: string) => new Error(`quorum-state cannot be read: ${why}`)
  let json: unknown
  try {
    json = JSON.parse(data.toString('utf8'))
  } catch {
    throw bad('it is not JSON')
  }
  if (typeof json !== 'object' || json === null) throw bad('it is not a JSON object')
  const { data_version: version, leaderId, leaderEpoch } = json as Record<string, unknown>
  if (version !== 0 && version !== 1) throw bad(`its data_version is ${String(version)}`)
  if (!Number.isInteger(leaderId) || !Number.isInteger(leaderEpoch)) throw bad('it names no leader and epoch')
  return { leaderId: leaderId as number, leaderEpoch: leaderEpoch as number }
}

/** The state of a quorum whose one voter leads it. */
export const formatQuorumState = ({ leaderId, leaderEpoch }: QuorumState): Buffer =>
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
