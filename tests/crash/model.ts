// What must be true of a broker: everything it acknowledged and everything that was read from it, per partition, group and
// topic. Answers and reads are told to the model, which notes each contradiction.
import type { RecordToEncode } from '../../protocol/records/record.ts'
import { decodeRecords } from '../../protocol/records/record.ts'

/** Contradictions, as sentences. */
export type Problems = string[]

/** One batch that was sent; all its records must be there, one behind the other, or none. */
export interface Batch {
  readonly log: PartitionModel
  readonly ids: readonly string[]
  /** As sent. */
  readonly bytes: Buffer
}

/** A record's content follows from its id, which ends with the value's size: `name.size`. */
export const recordOf = (id: string): RecordToEncode => ({
  key: Buffer.from(id),
  value: Buffer.alloc(Number(id.slice(id.lastIndexOf('.') + 1)) || 0, id),
  headers: [{ key: 'id', value: Buffer.from(id) }],
})

export class PartitionModel {
  readonly topic: string
  readonly partition: number
  /** Batches whose fate is not known: no answer came. */
  readonly open = new Set<Batch>()
  /** Offset to record id: acknowledged, or seen by a reader. */
  readonly #known = new Map<number, string>()
  readonly #offsets = new Map<string, number>()
  readonly #problems: Problems

  constructor(topic: string, partition: number, problems: Problems) {
    this.topic = topic
    this.partition = partition
    this.#problems = problems
  }

  get size(): number {
    return this.#known.size
  }

  acknowledged(batch: Batch, baseOffset: number): void {
    this.open.delete(batch)
    batch.ids.forEach((id, index) => this.#is(baseOffset + index, id, 'acknowledged'))
  }

  /** A consumer read a record while producers were at work. */
  seen(offset: number, id: string): void {
    if (!this.#offsets.has(id) && ![...this.open].some(({ ids }) => ids.includes(id))) {
      this.#problem(`offset ${offset} holds ${id}, which was not sent`)
    }
    this.#is(offset, id, 'read')
  }

  /**
   * All records, read while nobody writes. Batches that turn out to be there become known. Those that are not are
   * forgotten, unless `keep` says that they will be sent again.
   */
  look(records: readonly { offset: number; id: string }[], startOffset: number, keep: (batch: Batch) => boolean): void {
    const openIds = new Map([...this.open].flatMap(batch => batch.ids.map(id => [id, batch] as const)))
    const found = new Map<Batch, number[]>()
    let next = startOffset
    for (const { offset, id } of records) {
      if (offset !== next) this.#problem(`offset ${next} is missing, ${offset} follows`)
      next = offset + 1
      const batch = openIds.get(id)
      if (batch) found.set(batch, [...(found.get(batch) ?? []), offset])
      else if (!this.#offsets.has(id)) this.#problem(`offset ${offset} holds ${id}, which was not sent or is not due`)
      this.#is(offset, id, 'found')
    }
    for (const [offset, id] of this.#known) {
      if (offset >= next) this.#problem(`lost: offset ${offset} with ${id}; the log ends at ${next}`)
    }
    for (const batch of this.open) {
      const offsets = found.get(batch)
      if (offsets && offsets.length !== batch.ids.length) {
        this.#problem(`of the batch ${batch.ids.join(' ')} only ${offsets.length} records are there`)
      }
      if (!keep(batch)) this.open.delete(batch)
    }
  }

  #is(offset: number, id: string, how: string): void {
    const other = this.#known.get(offset)
    const at = this.#offsets.get(id)
    if (other !== undefined && other !== id) this.#problem(`${how}: offset ${offset} holds ${id}, but it was ${other}`)
    if (at !== undefined && at !== offset) this.#problem(`${how}: ${id} at offset ${offset}, but it was at ${at}`)
    this.#known.set(offset, id)
    this.#offsets.set(id, offset)
  }

  #problem(text: string): void {
    // One broken partition could say the same of every record.
    if (this.#problems.length < 50) this.#problems.push(`${this.topic}-${this.partition}: ${text}`)
  }
}

/** The ids of the records in a fetched part; says so when a record is not what its id means. */
export function idsIn(bytes: Buffer, at: number, problems: Problems): { offset: number; id: string }[] {
  return decodeRecords(bytes, at).map(({ offset, key, value, headers }) => {
    const id = key?.toString() ?? ''
    const should = recordOf(id)
    const header = headers.length === 1 && headers[0]!.key === 'id' ? headers[0]!.value : null
    if (!value?.equals(should.value!) || !header?.equals(should.key!)) {
      problems.push(`offset ${offset} with key ${id} has another content than was sent`)
    }
    return { offset, id }
  })
}

/** What one group has committed for one partition. Metadata of a commit is its offset, too. */
export class CommitModel {
  acknowledged = -1
  /** In the order sent. */
  open: number[] = []

  /** Notes a commit that is being sent. */
  sent(offset: number): void {
    this.open.push(offset)
  }

  answered(offset: number, errorCode: number): void {
    this.open = this.open.filter(other => other !== offset)
    if (errorCode === 0) this.acknowledged = Math.max(this.acknowledged, offset)
  }

  /** What OffsetFetch says now; returns a sentence if that cannot be. */
  look(offset: number): string | null {
    const possible = [this.acknowledged, ...this.open]
    if (!possible.includes(offset)) {
      return `committed is ${offset}, but ${this.acknowledged} was acknowledged and [${this.open.join(' ')}] sent`
    }
    this.acknowledged = offset
    this.open = []
    return null
  }
}

export type TopicStatus = 'absent' | 'creating' | 'present' | 'deleting'

export class TopicModel {
  readonly name: string
  status: TopicStatus = 'absent'
  /** '' until it is known. */
  id = ''
  partitions: PartitionModel[] = []
  readonly commits = new Map<string, CommitModel>()
  readonly #problems: Problems

  constructor(name: string, problems: Problems) {
    this.name = name
    this.#problems = problems
  }

  creating(partitions: number): void {
    this.status = 'creating'
    this.id = ''
    this.partitions = Array.from({ length: partitions }, (_, i) => new PartitionModel(this.name, i, this.#problems))
    this.commits.clear()
  }

  gone(): void {
    this.status = 'absent'
    this.id = ''
    this.partitions = []
    // Committed offsets go with their topic.
    this.commits.clear()
  }

  commit(group: string, partition: number): CommitModel {
    const key = `${group}/${partition}`
    const found = this.commits.get(key) ?? new CommitModel()
    this.commits.set(key, found)
    return found
  }
}

/** Everything that one data directory must hold. */
export class Model {
  readonly problems: Problems = []
  readonly topics = new Map<string, TopicModel>()
  readonly groups = new Set<string>()
  readonly producerIds = new Set<number>()
  /** Ids of topics, for ever. */
  readonly topicIds = new Set<string>()
  /** Highest generation that a member of the group was told. */
  readonly generations = new Map<string, number>()
  /** The same, as it was when the broker was last killed. */
  lastGenerations: ReadonlyMap<string, number> = new Map()
  /** The broker was told to stop: it may turn requests of groups away, and then must not have done what they ask. */
  isStopping = false
  #lastId = 0

  topic(name: string): TopicModel {
    const found = this.topics.get(name) ?? new TopicModel(name, this.problems)
    this.topics.set(name, found)
    return found
  }

  /** A new record id, for a value of `size` bytes. */
  recordId(size: number): string {
    return `${(++this.#lastId).toString(36)}.${size}`
  }

  producerId(id: number): void {
    if (this.producerIds.has(id)) this.problems.push(`producer id ${id} was handed out twice`)
    this.producerIds.add(id)
  }

  /** The id of a topic that has just been made. */
  topicId(topic: TopicModel, id: string): void {
    if (topic.id === id) return
    if (topic.id !== '') this.problems.push(`${topic.name} had id ${topic.id} and has ${id}`)
    if (this.topicIds.has(id)) this.problems.push(`${topic.name} got topic id ${id}, which was used before`)
    this.topicIds.add(id)
    topic.id = id
  }
}
