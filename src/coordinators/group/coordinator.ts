// The group coordinator of a broker: routes each request to the shard of the group's partition, checks what needs no
// group (GroupCoordinatorService.java), and puts answers in the shape of the caller's version.
import type { ReplyOf, RequestOf } from '../../../protocol/api.ts'
import type {
  DeleteGroups,
  DescribeGroups,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  ListGroups,
  OffsetCommit,
  OffsetDelete,
  OffsetFetch,
  SyncGroup,
  TxnOffsetCommit,
} from '../../../protocol/messages/index.ts'
import type { Runtime } from '../../runtime/index.ts'
import type { LogPort } from '../machine.ts'
import type {
  DeletedTopic,
  EndTransactionCommand,
  GroupCommand,
  GroupConfig,
  GroupRecord,
  GroupReply,
  Replies,
  RequestCommand,
} from './commands.ts'
import type { ResolvedFetch, TopicLookup } from './offsets/resolve.ts'
import {
  COORDINATOR_LOAD_IN_PROGRESS,
  COORDINATOR_NOT_AVAILABLE,
  INCONSISTENT_GROUP_PROTOCOL,
  INVALID_GROUP_ID,
  INVALID_SESSION_TIMEOUT,
  KafkaError,
  NONE,
  NOT_COORDINATOR,
} from '../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../protocol/schema.ts'
import { Shard } from '../shard.ts'
import { joinError, syncError } from './classic/replies.ts'
import { clientError, fetchError } from './errors.ts'
import { GroupMachine } from './machine.ts'
import { resolveDelete } from './offsets/delete.ts'
import { fetchReply, resolveCommit, resolveFetch, TOPIC_ID_VERSION, TXN_TOPIC_ID_VERSION } from './offsets/resolve.ts'
import { partitionForGroup } from './partition.ts'

export interface GroupContext {
  readonly apiVersion: number
  readonly clientId: string
  /** As Kafka shows it: `/127.0.0.1`. */
  readonly clientHost: string
}

export interface GroupCoordinatorOptions {
  readonly config: GroupConfig
  readonly runtime: Runtime
  /** Of __consumer_offsets; a function if the topic may not exist yet. */
  readonly partitions: number | (() => number)
  /** The log of one of them; asked for on every election. */
  readonly log: (partition: number) => LogPort
  readonly topics: TopicLookup
  /**
   * Makes the partition part of the transaction, or finds out that it is; what it gives lets the log in. Throws or
   * rejects with KafkaError. Left out: every transaction may write.
   */
  readonly admit?: (request: RequestOf<typeof TxnOffsetCommit>, partition: number, apiVersion: number) => unknown
}

type GroupShard = Shard<GroupRecord, GroupCommand, GroupReply>

interface Led {
  readonly shard: GroupShard
  readonly leaderEpoch: number
}

export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions
  readonly #led = new Map<number, Led>()
  #closed = false

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options
  }

  partitionFor(groupId: string): number {
    const { partitions } = this.#options
    return partitionForGroup(groupId, typeof partitions === 'number' ? partitions : partitions())
  }

  /** Parks until the rebalance is over. Decides before its first await, as all methods here do. */
  async joinGroup(request: RequestOf<typeof JoinGroup>, context: GroupContext): Promise<ReplyOf<typeof JoinGroup>> {
    const { apiVersion, clientId, clientHost } = context
    const refuse = (code: number, memberId = request.memberId) => forVersion(joinError(memberId, code), apiVersion)
    if (request.groupId === '') return refuse(INVALID_GROUP_ID)
    const min = this.#options.config['group.min.session.timeout.ms']
    const max = this.#options.config['group.max.session.timeout.ms']
    if (request.sessionTimeoutMs < min || request.sessionTimeoutMs > max) return refuse(INVALID_SESSION_TIMEOUT)
    // Version 0 has no rebalance timeout: the session timeout is both (G65).
    const rebalanceTimeoutMs = apiVersion === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs
    try {
      const reply = await this.#ask(request.groupId, {
        type: 'join',
        request: { ...request, rebalanceTimeoutMs },
        apiVersion,
        clientId,
        clientHost,
        memberIdSuffix: this.#newSuffix(),
      })
      return forVersion(reply, apiVersion)
    } catch (error) {
      return refuse(clientError(error), '')
    }
  }

  async syncGroup(request: RequestOf<typeof SyncGroup>, context: GroupContext): Promise<ReplyOf<typeof SyncGroup>> {
    const namesProtocol = request.protocolType !== null && request.protocolName !== null
    if (context.apiVersion >= 5 && !namesProtocol) return syncError(INCONSISTENT_GROUP_PROTOCOL)
    if (request.groupId === '') return syncError(INVALID_GROUP_ID)
    try {
      return await this.#ask(request.groupId, { type: 'sync', request })
    } catch (error) {
      return syncError(clientError(error))
    }
  }

  async heartbeat(request: RequestOf<typeof Heartbeat>, _context: GroupContext): Promise<ReplyOf<typeof Heartbeat>> {
    if (request.groupId === '') return { errorCode: INVALID_GROUP_ID }
    try {
      return await this.#ask(request.groupId, { type: 'heartbeat', request })
    } catch (error) {
      const errorCode = clientError(error)
      // While the group is being read back nobody can tell, and the member is none the worse for it.
      return { errorCode: errorCode === COORDINATOR_LOAD_IN_PROGRESS ? NONE : errorCode }
    }
  }

  async leaveGroup(request: RequestOf<typeof LeaveGroup>, context: GroupContext): Promise<ReplyOf<typeof LeaveGroup>> {
    if (request.groupId === '') return { errorCode: INVALID_GROUP_ID, members: [] }
    const isSingle = context.apiVersion < 3
    const members = isSingle ? [{ memberId: request.memberId, groupInstanceId: null, reason: null }] : request.members
    try {
      const reply = await this.#ask(request.groupId, { type: 'leave', groupId: request.groupId, members })
      return isSingle ? { errorCode: reply.members?.[0]?.errorCode ?? NONE, members: [] } : reply
    } catch (error) {
      return { errorCode: clientError(error), members: [] }
    }
  }

  /** An empty group id is a group like any other here. */
  async offsetCommit(
    request: RequestOf<typeof OffsetCommit>,
    context: GroupContext,
  ): Promise<ReplyOf<typeof OffsetCommit>> {
    const { apiVersion } = context
    const resolved = resolveCommit(request, apiVersion >= TOPIC_ID_VERSION, this.#options.topics)
    if (resolved.request.topics.length === 0) return resolved.answer({ topics: [] })
    try {
      const command = { type: 'offsetCommit' as const, request: resolved.request, apiVersion }
      return resolved.answer(await this.#ask(request.groupId, command))
    } catch (error) {
      return resolved.refuse(clientError(error))
    }
  }

  /** Offsets that count once the transaction commits; its coordinator is asked first (KIP-890). */
  async txnOffsetCommit(
    request: RequestOf<typeof TxnOffsetCommit>,
    { apiVersion }: GroupContext,
  ): Promise<ReplyOf<typeof TxnOffsetCommit>> {
    const { groupId } = request
    const resolved = resolveCommit(request, apiVersion >= TXN_TOPIC_ID_VERSION, this.#options.topics)
    if (resolved.request.topics.length === 0) return resolved.answer({ topics: [] })
    if (groupId === '') return resolved.refuse(INVALID_GROUP_ID)
    try {
      const admission = this.#options.admit?.(request, this.partitionFor(groupId), apiVersion)
      // Without a wait where none is needed: the order of a connection's requests is kept.
      const verification = admission instanceof Promise ? await admission : admission
      const command = { type: 'txnOffsetCommit' as const, request: resolved.request, apiVersion, verification }
      return resolved.answer(await this.#ask(groupId, command))
    } catch (error) {
      return resolved.refuse(clientError(error))
    }
  }

  /** Writes the marker of a transaction into the partition. Resolves when it is durable; rejects with KafkaError. */
  async endTransaction(partition: number, marker: Omit<EndTransactionCommand, 'type'>): Promise<void> {
    if (this.#closed) throw new KafkaError(COORDINATOR_NOT_AVAILABLE)
    const led = this.#led.get(partition)
    if (!led) throw new KafkaError(NOT_COORDINATOR)
    await this.#submit(led.shard, { type: 'endTransaction', ...marker })
  }

  async offsetFetch(
    request: RequestOf<typeof OffsetFetch>,
    context: GroupContext,
  ): Promise<ReplyOf<typeof OffsetFetch>> {
    const groups = resolveFetch(request, context.apiVersion, this.#options.topics)
    return fetchReply(await Promise.all(groups.map(group => this.#fetchOne(group))), context.apiVersion)
  }

  async describeGroups(
    request: RequestOf<typeof DescribeGroups>,
    { apiVersion }: GroupContext,
  ): Promise<ReplyOf<typeof DescribeGroups>> {
    const groups = await Promise.all(request.groups.map(groupId => this.#describeOne(groupId, apiVersion)))
    return { groups: groups.flat() }
  }

  async listGroups(request: RequestOf<typeof ListGroups>, _context: GroupContext): Promise<ReplyOf<typeof ListGroups>> {
    const { statesFilter, typesFilter } = request
    if (this.#closed) return { errorCode: COORDINATOR_NOT_AVAILABLE, groups: [] }
    const shards = this.#shards().filter(({ state }) => state === 'active' || state === 'loading')
    try {
      const lists = await Promise.all(
        shards.map(shard => this.#submit(shard, { type: 'list', statesFilter, typesFilter })),
      )
      return { errorCode: NONE, groups: lists.flat() }
    } catch (error) {
      return { errorCode: clientError(error), groups: [] }
    }
  }

  async deleteGroups(
    request: RequestOf<typeof DeleteGroups>,
    _context: GroupContext,
  ): Promise<ReplyOf<typeof DeleteGroups>> {
    const groupIds = [...new Set(request.groupsNames)]
    const results = await Promise.all(groupIds.map(groupId => this.#deleteOne(groupId)))
    return { results: results.flat() }
  }

  /** Offsets of partitions that exist, and that no member of a consumer group subscribes to (KIP-496). */
  async deleteOffsets(
    request: RequestOf<typeof OffsetDelete>,
    _context: GroupContext,
  ): Promise<ReplyOf<typeof OffsetDelete>> {
    const { groupId } = request
    if (groupId === '') return { errorCode: INVALID_GROUP_ID, topics: [] }
    const resolved = resolveDelete(request, this.#options.topics)
    try {
      return resolved.answer(await this.#ask(groupId, { type: 'offsetDelete', request: resolved.request }))
    } catch (error) {
      return { errorCode: clientError(error), topics: [] }
    }
  }

  /** Commits to these topics are forgotten. Resolves when that is safe, or could not be done now: a load makes up for it. */
  async topicsDeleted(topics: readonly DeletedTopic[]): Promise<void> {
    if (topics.length === 0) return
    const shards = this.#shards().filter(({ state }) => state === 'active')
    await Promise.all(shards.map(shard => this.#forgetTopics(shard, topics)))
  }

  /** This broker leads the partition: reads its groups back. Resolves when they are served, or cannot be. */
  async onElected(partition: number, leaderEpoch: number): Promise<void> {
    const known = this.#led.get(partition)
    if (this.#closed || (known && known.leaderEpoch > leaderEpoch)) return
    known?.shard.resign()
    const shard = this.#newShard(partition)
    this.#led.set(partition, { shard, leaderEpoch })
    if (await shard.load()) await this.#forgetGoneTopics(shard)
  }

  onResigned(partition: number): void {
    this.#led.get(partition)?.shard.resign()
    this.#led.delete(partition)
  }

  /** The partition's log is safe below this offset. */
  committed(partition: number, highWatermark: number): void {
    this.#led.get(partition)?.shard.committed(highWatermark)
  }

  /** Whoever waits gets NOT_COORDINATOR; later requests COORDINATOR_NOT_AVAILABLE. */
  close(): void {
    this.#closed = true
    for (const { shard } of this.#led.values()) shard.finish()
  }

  /** What all groups and offsets take in memory, roughly. */
  get stateBytes(): number {
    return this.#shards().reduce((sum, { stateBytes }) => sum + stateBytes, 0)
  }

  #shards(): GroupShard[] {
    return [...this.#led.values()].map(({ shard }) => shard)
  }

  #newShard(partition: number): GroupShard {
    const { config, runtime, log } = this.#options
    return new Shard({
      name: `__consumer_offsets-${partition}`,
      machine: () => new GroupMachine(config, runtime.log),
      log: log(partition),
      runtime,
      writeTimeoutMs: config['offsets.commit.timeout.ms'],
    })
  }

  #ask<C extends RequestCommand>(groupId: string, command: C): Promise<Replies[C['type']]> {
    if (this.#closed) return Promise.reject(new KafkaError(COORDINATOR_NOT_AVAILABLE))
    const led = this.#led.get(this.partitionFor(groupId))
    if (!led) return Promise.reject(new KafkaError(NOT_COORDINATOR))
    return this.#submit(led.shard, command)
  }

  /** The machine answers every command with the reply of its type. */
  #submit<C extends RequestCommand>(shard: GroupShard, command: C): Promise<Replies[C['type']]> {
    return shard.submit(command) as Promise<Replies[C['type']]>
  }

  async #fetchOne(group: ResolvedFetch) {
    try {
      return group.answer(await this.#ask(group.command.groupId, group.command))
    } catch (error) {
      return group.refuse(fetchError(error))
    }
  }

  async #describeOne(groupId: string, apiVersion: number): Promise<Replies['describe']> {
    try {
      return await this.#ask(groupId, { type: 'describe', groupIds: [groupId], apiVersion })
    } catch (error) {
      const errorCode = clientError(error)
      return [{ errorCode, groupId, groupState: '', protocolType: '', protocolData: '', members: [] }]
    }
  }

  async #deleteOne(groupId: string): Promise<Replies['delete']> {
    try {
      return await this.#ask(groupId, { type: 'delete', groupIds: [groupId] })
    } catch (error) {
      return [{ groupId, errorCode: clientError(error) }]
    }
  }

  async #forgetTopics(shard: GroupShard, topics: readonly DeletedTopic[]): Promise<void> {
    try {
      await this.#submit(shard, { type: 'topicsDeleted', topics })
    } catch (error) {
      this.#topicsAreKept(error)
    }
  }

  /** Topics that were deleted while nobody led the partition, or just before a crash. */
  async #forgetGoneTopics(shard: GroupShard): Promise<void> {
    const lookup = this.#options.topics
    try {
      const topics = await this.#submit(shard, { type: 'committedTopics' })
      const gone = topics.filter(({ topicId }) => topicId !== ZERO_UUID && lookup.topicName(topicId) === undefined)
      if (gone.length > 0) await this.#submit(shard, { type: 'topicsDeleted', topics: gone })
    } catch (error) {
      this.#topicsAreKept(error)
    }
  }

  #topicsAreKept(error: unknown): void {
    const errorCode = clientError(error)
    this.#options.runtime.log.warn({ errorCode }, 'offsets of deleted topics are kept until the next load')
  }

  /** As Java prints a random UUID; the ids of members look like those of Kafka. */
  #newSuffix(): string {
    const bytes = this.#options.runtime.random.bytes(16)
    bytes[6] = (bytes[6]! & 0x0f) | 0x40
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  }
}

/** No protocol is null from version 7 on, empty before. */
function forVersion(reply: Replies['join'], apiVersion: number): Replies['join'] {
  const { protocolName } = reply
  return { ...reply, protocolName: apiVersion >= 7 ? protocolName || null : (protocolName ?? '') }
}
