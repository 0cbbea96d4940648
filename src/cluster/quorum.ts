/**
 * Who votes for the leader of the metadata log: a fixed set that the log says nothing about (kraft.version 0), or one that
 * stands in the log and its snapshots as control records (kraft.version 1, KIP-853).
 */
import type { ValueOf } from '../../protocol/api.ts'
import { decode, encode } from '../../protocol/compile.ts'
import { Reader } from '../../protocol/reader.ts'
import { decodeControlKey, KRAFT_VERSION, KRAFT_VOTERS } from '../../protocol/records/control.ts'
import { KRaftVersionRecord, LeaderChangeMessage, VotersRecord } from '../../protocol/state/control-records.ts'
import { Writer } from '../../protocol/writer.ts'
import type { QuorumState } from '../../storage/quorum-state.ts'
import { MAX_KRAFT_VERSION } from './features.ts'
import { MetadataReplayError } from './image.ts'

export type Voter = ValueOf<typeof VotersRecord>['voters'][number]

export interface Quorum {
  /** 0, or 1 where the voters are recorded. */
  readonly kraftVersion: number
  /** Null where the log does not say. */
  readonly voters: readonly Voter[] | null
}

export const fixedQuorum: Quorum = { kraftVersion: 0, voters: null }

/** The recorded quorum of this node alone. */
export const recordedQuorum = (voter: Pick<Voter, 'voterId' | 'voterDirectoryId' | 'endpoints'>): Quorum => ({
  kraftVersion: MAX_KRAFT_VERSION,
  voters: [{ ...voter, kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: MAX_KRAFT_VERSION } }],
})

export interface ControlRecord {
  readonly type: number
  readonly value: Buffer
}

/** The quorum after a control record of the log or of a snapshot. Throws DecodeError, RecordError. */
export function quorumAfter(before: Quorum, key: Buffer | null, value: Buffer | null): Quorum {
  const { type } = decodeControlKey(key)
  const read = () => new Reader(value ?? Buffer.alloc(0))
  if (type === KRAFT_VERSION) return { ...before, kraftVersion: decode(KRaftVersionRecord, 0, read()).kRaftVersion }
  if (type === KRAFT_VOTERS) return { ...before, voters: decode(VotersRecord, 0, read()).voters }
  return before
}

/**
 * Throws MetadataReplayError where others vote beside this node, or it does not: there is more than one metadata log then; and
 * where the voters were recorded, but the records are gone: a new quorum must not be made up in their place.
 */
export function checkVoters({ voters }: Quorum, state: QuorumState | null, nodeId: number): void {
  if (voters === null && state?.dataVersion === 1) {
    throw new MetadataReplayError(
      'the voters of its quorum are recorded (kraft.version 1), and neither a snapshot nor the log tells them',
    )
  }
  const ids = voters?.map(({ voterId }) => voterId) ?? state?.currentVoters ?? []
  if (ids.length === 0 || (ids.length === 1 && ids[0] === nodeId)) return
  throw new MetadataReplayError(
    `the metadata log belongs to a quorum of the nodes ${ids.join(', ')}, and only one of node ${nodeId} alone can be served`,
  )
}

/** The control records by which a snapshot tells of the quorum; none for a fixed one. */
export function quorumRecords({ kraftVersion, voters }: Quorum): ControlRecord[] {
  if (kraftVersion === 0) return []
  const version = new Writer()
  encode(KRaftVersionRecord, 0, { version: 0, kRaftVersion: kraftVersion }, version)
  const records = [{ type: KRAFT_VERSION, value: version.toBuffer() }]
  if (voters === null) return records
  const list = new Writer()
  encode(VotersRecord, 0, { version: 0, voters: [...voters] }, list)
  return [...records, { type: KRAFT_VOTERS, value: list.toBuffer() }]
}

/** The value of the LEADER_CHANGE control record of a quorum of one. */
export function encodeLeaderChange(leaderId: number, quorum: Quorum): Buffer {
  const writer = new Writer()
  const version = quorum.voters === null ? 0 : 1
  const voterDirectoryId = quorum.voters?.find(({ voterId }) => voterId === leaderId)?.voterDirectoryId
  const voters = [{ voterId: leaderId, ...(voterDirectoryId !== undefined && { voterDirectoryId }) }]
  encode(LeaderChangeMessage, version, { version, leaderId, voters, grantingVoters: voters }, writer)
  return writer.toBuffer()
}
