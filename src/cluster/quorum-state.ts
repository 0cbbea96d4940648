/**
 * `__cluster_metadata-0/quorum-state`: who led the metadata quorum last (FileQuorumStateStore.java). One line of JSON
 * in data version 0, which is what Kafka writes while kraft.version is 0, that is for a fixed set of voters. Version 1
 * (kraft.version 1) is read too.
 */

export interface QuorumState {
  readonly leaderId: number
  readonly leaderEpoch: number
}

const bad = (why: string) => new Error(`quorum-state cannot be read: ${why}`)

const integerOf = (json: object, field: string): number => {
  const value: unknown = Reflect.get(json, field)
  if (typeof value !== 'number' || !Number.isInteger(value)) throw bad(`it has no whole number ${field}`)
  return value
}

/** Throws an Error with one sentence when the file is not Kafka's. */
export function parseQuorumState(data: Buffer): QuorumState {
  let json: unknown
  try {
    json = JSON.parse(data.toString('utf8'))
  } catch {
    throw bad('it is not JSON')
  }
  if (typeof json !== 'object' || json === null) throw bad('it is not a JSON object')
  const version = integerOf(json, 'data_version')
  if (version !== 0 && version !== 1) throw bad(`its data_version is ${version}`)
  return { leaderId: integerOf(json, 'leaderId'), leaderEpoch: integerOf(json, 'leaderEpoch') }
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
