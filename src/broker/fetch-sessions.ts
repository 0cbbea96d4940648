// Incremental fetch sessions (KIP-227): the broker remembers what a consumer fetches and what it last told it, so that
// requests name only what changed and answers hold only partitions with news. Facts: FetchSession.java, FetchManager.java.
import {
  FETCH_SESSION_ID_NOT_FOUND,
  FETCH_SESSION_TOPIC_ID_ERROR,
  INVALID_FETCH_SESSION_EPOCH,
} from '../../protocol/errors.ts'

/** What all sessions together may remember: one client must not fill the memory by naming partitions. */
const MAX_PARTITIONS = 200_000
/** What one partition of a session takes. */
export const PARTITION_BYTES = 200

/** Epochs with a meaning of their own in a Fetch request. */
const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
export const NO_SESSION = 0

/** What a request says of one partition, plus (from a session) what the last answer said of it. */
export interface SessionPartition {
  /** Null while the topic id is not known here. */
  topic: string | null
  readonly topicId: string
  readonly partition: number
  fetchOffset: number
  maxBytes: number
  currentLeaderEpoch: number
  lastFetchedEpoch: number
  /** As in the answer before; -1 before the first and after an error, so that the next answer holds the partition. */
  highWatermark: number
  logStartOffset: number
}

/** What of an answer decides whether an incremental answer must hold the partition. */
export interface PartitionNews {
  readonly errorCode: number
  readonly highWatermark: number
  readonly logStartOffset: number
  readonly recordBytes: number
  readonly diverging: boolean
}

export interface SessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly usesTopicIds: boolean
  readonly partitions: readonly SessionPartition[]
  readonly forgotten: readonly { topic: string | null; topicId: string; partition: number }[]
}

interface Session {
  readonly id: number
  readonly usesTopicIds: boolean
  readonly partitions: Map<string, SessionPartition>
  epoch: number
  readonly createdMs: number
  lastUsedMs: number
}

/** One Fetch request's view of its session. */
export type FetchContext =
  | { readonly kind: 'error'; readonly errorCode: number }
  | { readonly kind: 'sessionless'; readonly partitions: readonly SessionPartition[] }
  | { readonly kind: 'full'; readonly partitions: readonly SessionPartition[]; readonly usesTopicIds: boolean }
  | {
      readonly kind: 'incremental'
      readonly partitions: readonly SessionPartition[]
      readonly session: Session
      readonly epoch: number
    }

const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'
const keyOf = (p: { topic: string | null; topicId: string; partition: number }, byId: boolean): string =>
  `${byId && p.topicId !== ZERO_UUID ? p.topicId : (p.topic ?? '')}/${p.partition}`

const nextEpoch = (epoch: number): number => (epoch < 0 ? FINAL_EPOCH : epoch === 0x7fffffff ? 1 : epoch + 1)

export class FetchSessions {
  readonly #slots: number
  readonly #evictionMs: number
  readonly #newId: () => number
  readonly #maxPartitions: number
  /** Partitions of all sessions together. */
  #partitions = 0
  /** In order of last use: the first is the one to evict. */
  readonly #sessions = new Map<number, Session>()

  /** `slots`: max.incremental.fetch.session.cache.slots; a session unused for `evictionMs` gives way to any new one. */
  constructor(o: { slots: number; evictionMs: number; newId: () => number; maxPartitions?: number }) {
    this.#maxPartitions = o.maxPartitions ?? MAX_PARTITIONS
    this.#slots = o.slots
    this.#evictionMs = o.evictionMs
    this.#newId = o.newId
  }

  get size(): number {
    return this.#sessions.size
  }

  /** What all of them take in memory, roughly. */
  get bytes(): number {
    return this.#partitions * PARTITION_BYTES
  }

  /** The partitions that this request is about, by the rules of session id and epoch. */
  open(request: SessionRequest, now: number): FetchContext {
    const { sessionId, sessionEpoch, usesTopicIds } = request
    if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) {
      if (sessionId !== NO_SESSION) this.#drop(sessionId)
      const partitions = distinct(request.partitions, usesTopicIds)
      return sessionEpoch === FINAL_EPOCH
        ? { kind: 'sessionless', partitions }
        : { kind: 'full', partitions, usesTopicIds }
    }
    const session = this.#sessions.get(sessionId)
    if (!session) return { kind: 'error', errorCode: FETCH_SESSION_ID_NOT_FOUND }
    if (session.epoch !== sessionEpoch) return { kind: 'error', errorCode: INVALID_FETCH_SESSION_EPOCH }
    if (session.usesTopicIds !== usesTopicIds) return { kind: 'error', errorCode: FETCH_SESSION_TOPIC_ID_ERROR }
    const before = session.partitions.size
    update(session, request)
    this.#partitions += session.partitions.size - before
    if (this.#partitions > this.#maxPartitions) {
      this.#drop(sessionId)
      return { kind: 'error', errorCode: FETCH_SESSION_ID_NOT_FOUND }
    }
    if (session.partitions.size === 0) {
      this.#drop(sessionId)
      return { kind: 'sessionless', partitions: distinct(request.partitions, usesTopicIds) }
    }
    this.#touch(session, now)
    session.epoch = nextEpoch(session.epoch)
    return { kind: 'incremental', partitions: [...session.partitions.values()], session, epoch: session.epoch }
  }

  /** Opens the session that a full request asks for, if the cache has room. Returns the id to answer with, 0 for none. */
  create(context: FetchContext & { kind: 'full' }, now: number): number {
    const count = context.partitions.length
    if (this.#partitions + count > this.#maxPartitions || !this.#makeRoom(count, now)) return NO_SESSION
    let id = this.#newId()
    while (id === NO_SESSION || this.#sessions.has(id)) id = this.#newId()
    const partitions = new Map(context.partitions.map(p => [keyOf(p, context.usesTopicIds), p]))
    this.#sessions.set(id, {
      id,
      usesTopicIds: context.usesTopicIds,
      partitions,
      epoch: 1,
      createdMs: now,
      lastUsedMs: now,
    })
    this.#partitions += count
    return id
  }

  /** True if nobody moved the session on since `open`: a duplicate of the request may have. */
  isCurrent(context: FetchContext & { kind: 'incremental' }): boolean {
    return context.session.epoch === context.epoch
  }

  /** Kafka's order of victims: one that was unused for the eviction time, else a smaller one that is old enough. */
  #makeRoom(size: number, now: number): boolean {
    if (this.#sessions.size < this.#slots) return true
    const [oldest] = this.#sessions.values()
    if (!oldest) return false
    if (now - oldest.lastUsedMs > this.#evictionMs) return this.#drop(oldest.id)
    let smallest = oldest
    for (const session of this.#sessions.values())
      if (session.partitions.size < smallest.partitions.size) smallest = session
    if (smallest.partitions.size >= size || now - smallest.createdMs <= this.#evictionMs) return false
    return this.#drop(smallest.id)
  }

  #drop(id: number): boolean {
    this.#partitions -= this.#sessions.get(id)?.partitions.size ?? 0
    return this.#sessions.delete(id)
  }

  #touch(session: Session, now: number): void {
    session.lastUsedMs = now
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
  }
}

/** Whether an incremental answer must hold the partition; remembers what was told and rotates partitions with data to the end. */
export function hasNews(
  context: FetchContext & { kind: 'incremental' },
  p: SessionPartition,
  news: PartitionNews,
): boolean {
  const changed =
    news.recordBytes > 0 ||
    news.errorCode !== 0 ||
    news.diverging ||
    p.highWatermark !== news.highWatermark ||
    p.logStartOffset !== news.logStartOffset
  remember(p, news)
  if (news.recordBytes > 0) {
    // Partitions that got data go to the back, so that a small max_bytes starves nobody.
    const key = keyOf(p, context.session.usesTopicIds)
    if (context.session.partitions.delete(key)) context.session.partitions.set(key, p)
  }
  return changed
}

/** Keeps what the answer said of the partition for the next incremental answer's comparison. */
export function remember(p: SessionPartition, news: PartitionNews): void {
  p.highWatermark = news.errorCode === 0 ? news.highWatermark : -1
  p.logStartOffset = news.logStartOffset
}

/** A partition named twice counts once, with the later of its requests, as in Kafka's map of them. */
function distinct(partitions: readonly SessionPartition[], byId: boolean): SessionPartition[] {
  return [...new Map(partitions.map(p => [keyOf(p, byId), p])).values()]
}

function update(session: Session, request: SessionRequest): void {
  for (const p of request.partitions) {
    const key = keyOf(p, session.usesTopicIds)
    const known = session.partitions.get(key)
    if (!known) {
      session.partitions.set(key, p)
      continue
    }
    known.fetchOffset = p.fetchOffset
    known.maxBytes = p.maxBytes
    known.currentLeaderEpoch = p.currentLeaderEpoch
    known.lastFetchedEpoch = p.lastFetchedEpoch
  }
  for (const p of request.forgotten) session.partitions.delete(keyOf(p, session.usesTopicIds))
}
