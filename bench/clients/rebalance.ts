// A classic group of many members, each with its connection, in this process: how long a rebalance takes from the JoinGroup that
// sets it off until every member has its assignment. The others send heartbeats until one tells them to join again.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually, signal } from '../../compat/harness/wait.ts'
import { open, type Wire } from '../../compat/harness/wire.ts'
import { NONE, REBALANCE_IN_PROGRESS } from '../../protocol/errors.ts'
import { Heartbeat, JoinGroup, SyncGroup, type ResponseOf } from '../../protocol/index.ts'
import { coordinated, disband, isReady } from './groups.ts'

const SESSION_MS = 60_000
const ROUND_MS = 30_000
const HEARTBEAT_MS = 1

interface Member {
  readonly wire: Wire
  readonly index: number
  memberId: string
  generationId: number
  /** Which the leader gave it: its part of the work. */
  part: number
  /** Changes when it sets a rebalance off. */
  version: number
}

interface Round {
  /** Who joins again by itself; all of them in a new group. */
  readonly beginner: number | 'all'
  isOver: boolean
}

export interface Rebalances {
  /** Of each round. */
  readonly tookMs: readonly number[]
}

/** Runs `rounds` once the group has formed; `whenFormed` is called before them. */
export async function rebalance(
  address: string,
  o: { members: number; rounds: number; run: (rounds: () => Promise<Rebalances>) => Promise<void> },
): Promise<void> {
  const groupId = `rebalance-${randomUUID()}`
  const members = await Promise.all(
    Array.from({ length: o.members }, async (_, index): Promise<Member> => ({
      wire: await open(address),
      index,
      memberId: '',
      generationId: -1,
      part: -1,
      version: 0,
    })),
  )
  const [{ wire }] = members as [Member]
  try {
    await coordinated(wire, groupId)
    await oneRound(groupId, members, 'all')
    await o.run(async () => {
      const tookMs: number[] = []
      for (let round = 0; round < o.rounds; round++) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        tookMs.push(await oneRound(groupId, members, round % members.length))
      }
      return { tookMs }
    })
    await disband(
      wire,
      groupId,
      members.map(({ memberId }) => memberId),
    )
  } finally {
    for (const member of members) member.wire.close()
  }
}

/** Resolves with how long it took until all were in one generation, each with a part of its own; in ms. */
async function oneRound(groupId: string, members: readonly Member[], beginner: Round['beginner']): Promise<number> {
  const round: Round = { beginner, isOver: false }
  const over = signal<number>()
  const before = members[0]!.generationId
  const from = performance.now()
  const assigned = (): void => {
    const generation = members[0]!.generationId
    if (generation === before || members.some(({ generationId }) => generationId !== generation)) return
    // Of an earlier, smaller generation.
    if (new Set(members.map(({ part }) => part)).size !== members.length) return
    round.isOver = true
    over.resolve(performance.now() - from)
  }
  const late = setTimeout(() => over.reject(new Error(`${groupId}: no assignment after ${ROUND_MS} ms`)), ROUND_MS)
  try {
    const all = Promise.all(members.map(member => takePart(groupId, member, round, assigned)))
    const [tookMs] = await Promise.all([over.promise, all])
    return tookMs
  } finally {
    clearTimeout(late)
    round.isOver = true
  }
}

async function takePart(groupId: string, member: Member, round: Round, assigned: () => void): Promise<void> {
  let isDue = round.beginner === 'all' || round.beginner === member.index
  if (isDue) member.version++
  while (!round.isOver) {
    if (isDue) {
      // oxlint-disable-next-line no-await-in-loop -- one step after the other
      isDue = !(await joined(groupId, member))
      if (!isDue) assigned()
    } else {
      // oxlint-disable-next-line no-await-in-loop -- one step after the other
      const { errorCode } = await member.wire.request(Heartbeat, 3, { groupId, ...idOf(member) })
      isDue = errorCode === REBALANCE_IN_PROGRESS
      if (!isDue && errorCode !== NONE) throw new Error(`Heartbeat: ${errorCode}`)
      // oxlint-disable-next-line no-await-in-loop -- one step after the other
      if (!isDue && !round.isOver) await sleep(HEARTBEAT_MS)
    }
  }
}

const idOf = ({ memberId, generationId }: Member) => ({ memberId, generationId })

/** False when others came meanwhile and it must join again. */
async function joined(groupId: string, member: Member): Promise<boolean> {
  const joining = {
    groupId,
    sessionTimeoutMs: SESSION_MS,
    rebalanceTimeoutMs: SESSION_MS,
    memberId: member.memberId,
    protocolType: 'bench',
    protocols: [{ name: 'parts', metadata: Buffer.from(String(member.version)) }],
  }
  const answer = await eventually(
    'JoinGroup',
    async () => {
      const found = await member.wire.request(JoinGroup, 3, joining)
      return isReady('JoinGroup', found.errorCode) && found
    },
    { ms: ROUND_MS },
  )
  member.memberId = answer.memberId
  const { generationId } = answer
  const syncing = { groupId, generationId, memberId: member.memberId, assignments: partsOf(answer) }
  const { errorCode, assignment } = await member.wire.request(SyncGroup, 3, syncing)
  if (errorCode === REBALANCE_IN_PROGRESS) return false
  isReady('SyncGroup', errorCode)
  member.part = assignment.readInt32BE(0)
  member.generationId = generationId
  return true
}

/** What the leader hands in; nothing from the others. */
function partsOf({ leader, memberId, members }: ResponseOf<typeof JoinGroup>) {
  if (leader !== memberId) return []
  return members.map((member, part) => {
    const assignment = Buffer.alloc(4)
    assignment.writeInt32BE(part)
    return { memberId: member.memberId, assignment }
  })
}
