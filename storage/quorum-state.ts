/**
 * `quorum-state` in `__cluster_metadata-0`: what a KRaft node must not forget about elections (QuorumStateData.json,
 * FileQuorumStateStore.java), one JSON object with its version in `data_version`.
 */
import { CorruptFileError } from './errors.ts'

export interface QuorumState {
  readonly dataVersion: number
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly votedId: number
  /** Version 1: 22 characters of base64url. */
  readonly votedDirectoryId: string | null
  /** Version 0. */
  readonly currentVoters: readonly number[]
}

/** @throws CorruptFileError */
export function parseQuorumState(data: Buffer, path: string): QuorumState {
  let content: unknown
  try {
    content = JSON.parse(data.toString('utf8'))
  } catch (error) {
    throw new CorruptFileError(path, error instanceof SyntaxError ? 'not JSON' : String(error))
  }
  if (typeof content !== 'object' || content === null) throw new CorruptFileError(path, 'not a JSON object')
  const fields = new Map<string, unknown>(Object.entries(content))
  const number = (name: string, fallback?: number) => {
    const value = fields.get(name) ?? fallback
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new CorruptFileError(path, `no ${name}`)
    return value
  }
  const dataVersion = number('data_version')
  if (dataVersion !== 0 && dataVersion !== 1) throw new CorruptFileError(path, `unknown version ${dataVersion}`)
  const voted = fields.get('votedDirectoryId')
  const voters: unknown = fields.get('currentVoters') ?? []
  return {
    dataVersion,
    leaderId: number('leaderId', -1),
    leaderEpoch: number('leaderEpoch', -1),
    votedId: number('votedId', -1),
    votedDirectoryId: typeof voted === 'string' ? voted : null,
    currentVoters: (Array.isArray(voters) ? voters : []).map((voter: { voterId?: unknown } | null) => {
      if (typeof voter?.voterId !== 'number') throw new CorruptFileError(path, 'a voter without voterId')
      return voter.voterId
    }),
  }
}
