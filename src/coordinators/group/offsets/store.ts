// Committed offsets by group, topic and partition, and those that wait for the end of a transaction.
// Decisions read it; only replay (machine.ts) calls the methods that write. Rules: OffsetMetadataManager.java.

export interface CommittedOffset {
  readonly offset: number
  /** -1: unknown */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestamp: number
  /** Of clients that chose their own retention (OffsetCommit 2-4); -1: none. */
  readonly expireTimestamp: number
  /** The zero id in records written before Kafka 4.2. */
  readonly topicId: string
}

interface Stored extends CommittedOffset {
  /** Where its record stands in the log: the later commit wins, transactional or not. */
  readonly recordOffset: number
}

export type TopicOffsets = ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>>

/** group -> topic -> partition -> value, without empty maps. */
class Table<V> {
  readonly groups = new Map<string, Map<string, Map<number, V>>>()
  /** What it takes in memory, roughly. */
  bytes = 0
  readonly #sizeOf: (value: V) => number

  constructor(sizeOf: (value: V) => number) {
    this.#sizeOf = sizeOf
  }

  get(groupId: string, topic: string, partition: number): V | undefined {
    return this.groups.get(groupId)?.get(topic)?.get(partition)
  }

  set(groupId: string, topic: string, partition: number, value: V): void {
    let topics = this.groups.get(groupId)
    if (!topics) this.groups.set(groupId, (topics = new Map<string, Map<number, V>>()))
    let partitions = topics.get(topic)
    if (!partitions) topics.set(topic, (partitions = new Map<number, V>()))
    const before = partitions.get(partition)
    if (before !== undefined) this.bytes -= this.#sizeOf(before)
    this.bytes += this.#sizeOf(value)
    partitions.set(partition, value)
  }

  delete(groupId: string, topic: string, partition: number): void {
    const topics = this.groups.get(groupId)
    const partitions = topics?.get(topic)
    const before = partitions?.get(partition)
    if (!topics || !partitions || before === undefined) return
    this.bytes -= this.#sizeOf(before)
    partitions.delete(partition)
    if (partitions.size === 0) topics.delete(topic)
    if (topics.size === 0) this.groups.delete(groupId)
  }

  *entries(): Generator<[groupId: string, topic: string, partition: number, value: V]> {
    for (const groupId of this.groups.keys()) {
      for (const [topic, partition, value] of this.entriesOf(groupId)) yield [groupId, topic, partition, value]
    }
  }

  *entriesOf(groupId: string): Generator<[topic: string, partition: number, value: V]> {
    for (const [topic, partitions] of this.groups.get(groupId) ?? []) {
      for (const [partition, value] of partitions) yield [topic, partition, value]
    }
  }
}

/** An entry of three maps, and the object in it. */
const OFFSET_BYTES = 300
const sizeOfOffset = ({ metadata }: Stored): number => OFFSET_BYTES + metadata.length

export class OffsetStore {
  readonly #committed = new Table<Stored>(sizeOfOffset)
  /** Offsets in open transactions, by producer id. */
  readonly #pending = new Map<number, Table<Stored>>()
  /** Producers with a pending offset, by partition. */
  readonly #open = new Table<Set<number>>(() => OFFSET_BYTES)

  /** What all of them take in memory, roughly. */
  get bytes(): number {
    let bytes = this.#committed.bytes + this.#open.bytes
    for (const table of this.#pending.values()) bytes += table.bytes
    return bytes
  }

  get(groupId: string, topic: string, partition: number): CommittedOffset | undefined {
    return this.#committed.get(groupId, topic, partition)
  }

  of(groupId: string): TopicOffsets {
    return this.#committed.groups.get(groupId) ?? new Map()
  }

  /** Whether a transaction that commits this offset is open. */
  isUnstable(groupId: string, topic: string, partition: number): boolean {
    return this.#open.get(groupId, topic, partition) !== undefined
  }

  hasOpenTransactions(groupId: string): boolean {
    return this.#open.groups.has(groupId)
  }

  /** Every partition with a committed or pending offset, once. */
  *partitionsOf(groupId: string): Generator<[topic: string, partition: number]> {
    for (const [topic, partition] of this.#committed.entriesOf(groupId)) yield [topic, partition]
    for (const [topic, partition] of this.#open.entriesOf(groupId)) {
      if (!this.#committed.get(groupId, topic, partition)) yield [topic, partition]
    }
  }

  /** Every offset of every group, committed or pending; a partition can come several times. */
  *all(): Generator<[groupId: string, topic: string, partition: number, topicId: string]> {
    for (const table of [this.#committed, ...this.#pending.values()]) {
      for (const [groupId, topic, partition, { topicId }] of table.entries()) yield [groupId, topic, partition, topicId]
    }
  }

  put(groupId: string, topic: string, partition: number, value: CommittedOffset, recordOffset: number): void {
    this.#committed.set(groupId, topic, partition, { ...value, recordOffset })
  }

  putPending(
    producerId: number,
    [groupId, topic, partition]: readonly [string, string, number],
    value: CommittedOffset,
    recordOffset: number,
  ): void {
    let table = this.#pending.get(producerId)
    if (!table) this.#pending.set(producerId, (table = new Table(sizeOfOffset)))
    table.set(groupId, topic, partition, { ...value, recordOffset })
    const producers = this.#open.get(groupId, topic, partition)
    if (producers) producers.add(producerId)
    else this.#open.set(groupId, topic, partition, new Set([producerId]))
  }

  /** Removes the offset, pending ones included. */
  remove(groupId: string, topic: string, partition: number): void {
    this.#committed.delete(groupId, topic, partition)
    for (const producerId of this.#open.get(groupId, topic, partition) ?? []) {
      this.#pending.get(producerId)?.delete(groupId, topic, partition)
    }
    this.#open.delete(groupId, topic, partition)
  }

  endTransaction(producerId: number, committed: boolean): void {
    const table = this.#pending.get(producerId)
    if (!table) return
    this.#pending.delete(producerId)
    for (const [groupId, topic, partition, value] of table.entries()) {
      const producers = this.#open.get(groupId, topic, partition)
      producers?.delete(producerId)
      if (producers?.size === 0) this.#open.delete(groupId, topic, partition)
      const existing = this.#committed.get(groupId, topic, partition)
      const isLater = !existing || value.recordOffset > existing.recordOffset
      if (committed && isLater) this.#committed.set(groupId, topic, partition, value)
    }
  }
}
