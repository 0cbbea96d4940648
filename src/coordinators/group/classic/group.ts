// A classic group as a value: members, generation, state, and the questions that decisions ask of it.
// A decision works on a copy (`copyGroup`); members are never changed in place, only replaced.
// Rules: ClassicGroup.java and ClassicGroupMember.java of Kafka 4.4.
import { decodeSubscribedTopics } from './consumer-protocol.ts'

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

export interface Protocol {
  readonly name: string
  /** Opaque to us, save the topics of the consumer protocol (for the expiry of offsets). */
  readonly metadata: Buffer
}

export interface Member {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly Protocol[]
  readonly assignment: Buffer
  /** Callers that wait for this member's join or sync. */
  readonly joinTicket: number | null
  readonly syncTicket: number | null
  /** True until the first join of this member is answered: until then its session ends even while it waits. */
  readonly isNew: boolean
}

export interface Group {
  readonly groupId: string
  state: GroupState
  previousState: GroupState | null
  /** When the state was entered, ms; null if the log does not say. */
  stateTimestamp: number | null
  protocolType: string | null
  protocolName: string | null
  generationId: number
  leaderId: string | null
  readonly members: Map<string, Member>
  /** groupInstanceId -> memberId */
  readonly staticMembers: Map<string, string>
  /** Member ids given out with MEMBER_ID_REQUIRED that have not joined yet. */
  readonly pendingJoin: Set<string>
  /** Members of this generation that have not sent SyncGroup yet. */
  readonly pendingSync: Set<string>
  /** Topics of all subscriptions; null if unknown. */
  subscribedTopics: ReadonlySet<string> | null
  /** A member joined during the initial delay, which may therefore be extended. */
  newMemberAdded: boolean
}

/** A group that is only looked at. */
export interface GroupView extends Readonly<Omit<Group, 'members' | 'staticMembers' | 'pendingJoin' | 'pendingSync'>> {
  readonly members: ReadonlyMap<string, Member>
  readonly staticMembers: ReadonlyMap<string, string>
  readonly pendingJoin: ReadonlySet<string>
  readonly pendingSync: ReadonlySet<string>
}

export const CONSUMER_PROTOCOL_TYPE = 'consumer'
export const NO_BYTES = Buffer.alloc(0)

export function newGroup(groupId: string, now: number | null): Group {
  return {
    groupId,
    state: 'Empty',
    previousState: null,
    stateTimestamp: now,
    protocolType: null,
    protocolName: null,
    generationId: 0,
    leaderId: null,
    members: new Map(),
    staticMembers: new Map(),
    pendingJoin: new Set(),
    pendingSync: new Set(),
    subscribedTopics: null,
    newMemberAdded: false,
  }
}

export function copyGroup(group: GroupView): Group {
  return {
    ...group,
    members: new Map(group.members),
    staticMembers: new Map(group.staticMembers),
    pendingJoin: new Set(group.pendingJoin),
    pendingSync: new Set(group.pendingSync),
  }
}

const ALLOWED_FROM: Record<GroupState, readonly GroupState[]> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Stable', 'CompletingRebalance', 'Empty'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
}

export const canRebalance = (group: GroupView) => ALLOWED_FROM.PreparingRebalance.includes(group.state)

export function transitionTo(group: Group, state: GroupState, now: number): void {
  if (!ALLOWED_FROM[state].includes(group.state)) {
    throw new Error(`group ${group.groupId} cannot go from ${group.state} to ${state}`)
  }
  group.previousState = group.state
  group.state = state
  group.stateTimestamp = now
}

/** Holds offsets only: nobody ever joined. */
export const isSimple = (group: GroupView) =>
  group.protocolType === null && group.state === 'Empty' && group.pendingJoin.size === 0

export const usesConsumerProtocol = (group: GroupView) => group.protocolType === CONSUMER_PROTOCOL_TYPE

/** Unknown subscriptions of a consumer group count as "subscribed to everything": its offsets do not expire. */
export const isSubscribedTo = (group: GroupView, topic: string) =>
  group.subscribedTopics ? group.subscribedTopics.has(topic) : usesConsumerProtocol(group)

export const isAwaitingJoin = (member: Member) => member.joinTicket !== null
export const isAwaitingSync = (member: Member) => member.syncTicket !== null

/** A member that waits for a rebalance needs no heartbeat, except in its first join. */
export const needsNoHeartbeat = (member: Member) => !member.isNew && (isAwaitingJoin(member) || isAwaitingSync(member))

export function metadataOf(member: Member, protocolName: string): Buffer {
  const protocol = member.protocols.find(({ name }) => name === protocolName)
  if (!protocol) throw new Error(`member ${member.memberId} does not support protocol ${protocolName}`)
  return protocol.metadata
}

export const sameProtocols = (a: readonly Protocol[], b: readonly Protocol[]) =>
  a.length === b.length && a.every(({ name, metadata }, i) => name === b[i]!.name && metadata.equals(b[i]!.metadata))

export function awaitingJoinCount(group: GroupView): number {
  let count = 0
  for (const member of group.members.values()) if (isAwaitingJoin(member)) count++
  return count
}

export const hasAllJoined = (group: GroupView) =>
  group.pendingJoin.size === 0 && awaitingJoinCount(group) === group.members.size

/** The longest of the members'; 0 in an empty group. */
export function rebalanceTimeoutMs(group: GroupView): number {
  let longest = 0
  for (const member of group.members.values()) longest = Math.max(longest, member.rebalanceTimeoutMs)
  return longest
}

/** Protocol names that every member supports. */
function candidateProtocols(group: GroupView): Set<string> {
  const votes = new Map<string, number>()
  for (const member of group.members.values()) {
    for (const name of new Set(member.protocols.map(protocol => protocol.name))) {
      votes.set(name, (votes.get(name) ?? 0) + 1)
    }
  }
  return new Set([...votes].filter(([, count]) => count === group.members.size).map(([name]) => name))
}

/** Whether a member with these protocols may join: the group's type, and one name that everybody supports. */
export function supportsProtocols(group: GroupView, protocolType: string, protocols: readonly Protocol[]): boolean {
  if (group.state === 'Empty') return protocolType !== '' && protocols.length > 0
  if (group.protocolType !== protocolType) return false
  // Without members there is nobody to agree with: Kafka's count is then 0 for every name as well.
  if (group.members.size === 0) return protocols.length > 0
  const candidates = candidateProtocols(group)
  return protocols.some(({ name }) => candidates.has(name))
}

/** Each member votes for its first protocol that all support; most votes win, the earliest voted among equals. */
export function selectProtocol(group: GroupView): string {
  const candidates = candidateProtocols(group)
  const votes = new Map<string, number>()
  for (const member of group.members.values()) {
    const vote = member.protocols.find(({ name }) => candidates.has(name))
    if (!vote) throw new Error(`group ${group.groupId}: ${member.memberId} supports no common protocol`)
    votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1)
  }
  let best: [name: string, count: number] | undefined
  for (const entry of votes) if (!best || entry[1] > best[1]) best = entry
  if (!best) throw new Error(`group ${group.groupId} has no members to select a protocol`)
  return best[0]
}

/** Topics that the members of a consumer group subscribe to; null if that cannot be known. */
export function computeSubscribedTopics(group: GroupView): ReadonlySet<string> | null {
  if (!usesConsumerProtocol(group)) return null
  const topics = new Set<string>()
  for (const member of group.members.values()) {
    if (group.protocolName === null) return null
    const subscribed = decodeSubscribedTopics(metadataOf(member, group.protocolName))
    if (!subscribed) return null
    for (const topic of subscribed) topics.add(topic)
  }
  return topics
}

export function addMember(group: Group, member: Member): void {
  if (member.groupInstanceId !== null) group.staticMembers.set(member.groupInstanceId, member.memberId)
  if (group.members.size === 0) group.protocolType = member.protocolType
  group.leaderId ??= member.memberId
  group.members.set(member.memberId, member)
  group.pendingJoin.delete(member.memberId)
}

/** Forgets a member or pending member; the leadership goes to the oldest member that is left. Returns what was removed. */
export function removeMember(group: Group, memberId: string): Member | undefined {
  const member = group.members.get(memberId)
  group.members.delete(memberId)
  if (member && member.groupInstanceId !== null) group.staticMembers.delete(member.groupInstanceId)
  if (group.leaderId === memberId) group.leaderId = group.members.keys().next().value ?? null
  group.pendingJoin.delete(memberId)
  group.pendingSync.delete(memberId)
  return member
}

/** Replaces the value of a member that is there, in its place. */
export function updateMember(group: Group, memberId: string, change: Partial<Member>): Member {
  const member = group.members.get(memberId)
  if (!member) throw new Error(`group ${group.groupId} has no member ${memberId}`)
  const changed = { ...member, ...change }
  group.members.set(memberId, changed)
  return changed
}

/** If the leader has not rejoined, another member that has becomes leader. False: nobody has, or the group is empty. */
export function electJoinedLeader(group: Group): boolean {
  const leader = group.leaderId === null ? undefined : group.members.get(group.leaderId)
  if (!leader) return false
  if (isAwaitingJoin(leader)) return true
  for (const member of group.members.values()) {
    if (!isAwaitingJoin(member)) continue
    group.leaderId = member.memberId
    return true
  }
  return false
}

/** A group without members, and a member without its bytes. */
const GROUP_BYTES = 1000
const MEMBER_BYTES = 800

/** What it takes in memory, roughly. */
export function sizeOf(group: GroupView): number {
  let bytes = GROUP_BYTES
  for (const { protocols, assignment } of group.members.values()) {
    bytes += MEMBER_BYTES + assignment.length
    for (const { name, metadata } of protocols) bytes += name.length + metadata.length
  }
  return bytes
}
