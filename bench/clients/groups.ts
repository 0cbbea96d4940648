// Classic groups of one member each, made over the wire, and the requests that such a member sends again and again.
import { randomUUID } from 'node:crypto'
import { eventually } from '../../compat/harness/wait.ts'
import { bytesOf, open, type Wire } from '../../compat/harness/wire.ts'
import * as errors from '../../protocol/errors.ts'
import {
  DeleteGroups,
  encodeRequest,
  encodeResponse,
  FindCoordinator,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
} from '../../protocol/index.ts'
import { layoutOf, type AnswerLayout } from './small.ts'

export interface Member {
  readonly groupId: string
  readonly memberId: string
  readonly generationId: number
}

const HEARTBEAT = 3
const COMMIT = 7
const OFFSET = 4242
/** Longer than any run: nobody is expired beside it. */
const SESSION_MS = 300_000
/** So many groups are made at a time. */
const WIRES = 20
const LOADING: readonly number[] = [
  errors.COORDINATOR_LOAD_IN_PROGRESS,
  errors.COORDINATOR_NOT_AVAILABLE,
  errors.NOT_COORDINATOR,
]

/** Throws unless the code is NONE; false where the coordinator is not ready yet. */
export function isReady(what: string, errorCode: number): boolean {
  if (LOADING.includes(errorCode)) return false
  if (errorCode !== errors.NONE) throw new Error(`${what}: ${errorCode}`)
  return true
}

/** Resolves when the group's coordinator is there. */
export const coordinated = (wire: Wire, groupId: string): Promise<unknown> =>
  eventually('a coordinator', async () => {
    const { errorCode } = await wire.request(FindCoordinator, 2, { key: groupId, keyType: 0 })
    return isReady('FindCoordinator', errorCode)
  })

/** Members that have left, and their groups deleted. */
export async function disband(wire: Wire, groupId: string, memberIds: readonly string[]): Promise<void> {
  const members = memberIds.map(memberId => ({ memberId, groupInstanceId: null }))
  const left = await wire.request(LeaveGroup, 3, { groupId, members })
  isReady('LeaveGroup', left.errorCode)
  const { results } = await wire.request(DeleteGroups, 1, { groupsNames: [groupId] })
  isReady('DeleteGroups', results[0]!.errorCode)
}

async function join(wire: Wire, groupId: string): Promise<Member> {
  await coordinated(wire, groupId)
  const joining = {
    groupId,
    sessionTimeoutMs: SESSION_MS,
    rebalanceTimeoutMs: SESSION_MS,
    memberId: '',
    protocolType: 'bench',
    protocols: [{ name: 'none', metadata: Buffer.alloc(0) }],
  }
  const joined = await eventually('a group', async () => {
    const answer = await wire.request(JoinGroup, 3, joining)
    return isReady('JoinGroup', answer.errorCode) && answer
  })
  const { memberId, generationId } = joined
  const assignments = [{ memberId, assignment: Buffer.alloc(1) }]
  const { errorCode } = await wire.request(SyncGroup, 3, { groupId, generationId, memberId, assignments })
  isReady('SyncGroup', errorCode)
  return { groupId, memberId, generationId }
}

/**
 * Makes so many groups, lends their members, and deletes them. Where `committed` names a topic, each group must have committed
 * what `commitOf` commits.
 */
export async function withGroups<T>(
  address: string,
  count: number,
  use: (members: readonly Member[]) => Promise<T>,
  committed?: string,
): Promise<T> {
  const run = randomUUID()
  const wires = await Promise.all(Array.from({ length: Math.min(WIRES, count) }, () => open(address)))
  const members: Member[] = []
  const everywhere = (work: (wire: Wire, index: number) => Promise<void>): Promise<unknown> =>
    Promise.all(
      wires.map(async (wire, first) => {
        // oxlint-disable-next-line no-await-in-loop -- one after the other on each connection
        for (let index = first; index < count; index += wires.length) await work(wire, index)
      }),
    )
  try {
    await everywhere(async (wire, index) => {
      // Of one length, as the client wants them.
      members[index] = await join(wire, `bench-${run}-${String(index).padStart(5, '0')}`)
    })
    const result = await use(members)
    if (committed !== undefined) await everywhere((wire, index) => verifyCommit(wire, members[index]!, committed))
    await everywhere((wire, index) => disband(wire, members[index]!.groupId, [members[index]!.memberId]))
    return result
  } finally {
    for (const wire of wires) wire.close()
  }
}

export const heartbeatOf = (member: Member): Buffer =>
  bytesOf(encodeRequest(Heartbeat, HEARTBEAT, 0, 'bench', member).chunks)

export const heartbeatLayout = (): AnswerLayout =>
  layoutOf(errorCode => encodeResponse(Heartbeat, HEARTBEAT, 0, { errorCode }).chunks)

/** A commit of one partition. */
export function commitOf({ generationId, ...member }: Member, topic: string): Buffer {
  const partitions = [{ partitionIndex: 0, committedOffset: OFFSET, committedMetadata: '' }]
  const request = { ...member, generationIdOrMemberEpoch: generationId, topics: [{ name: topic, partitions }] }
  return bytesOf(encodeRequest(OffsetCommit, COMMIT, 0, 'bench', request).chunks)
}

export const committedLayout = (topic: string): AnswerLayout =>
  layoutOf(errorCode => {
    const topics = [{ name: topic, partitions: [{ partitionIndex: 0, errorCode }] }]
    return encodeResponse(OffsetCommit, COMMIT, 0, { topics }).chunks
  })

async function verifyCommit(wire: Wire, { groupId }: Member, topic: string): Promise<void> {
  const asked = { groupId, topics: [{ name: topic, partitionIndexes: [0] }] }
  const { topics } = await wire.request(OffsetFetch, 5, asked)
  const found = topics[0]?.partitions[0]?.committedOffset
  if (found !== OFFSET) throw new Error(`${groupId} committed ${OFFSET} and holds ${found}`)
}
