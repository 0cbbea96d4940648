// What a scenario is, and what it is given: a broker to ask. It runs once for each version of its API, on both sides,
// and every answer it asked for is an exchange that is compared.
import type { Api, AskOf, ResponseOf } from '../../protocol/api.ts'
import type { Judge } from './keys.ts'
import type { Json } from './readable.ts'
import type { StageName } from './stages.ts'
import { CreateTopics, encodeRequest, ListOffsets, Metadata } from '../../protocol/index.ts'
import {
  ApiVersions,
  DescribeGroups,
  Fetch,
  FindCoordinator,
  InitProducerId,
  OffsetFetch,
} from '../../protocol/index.ts'
import { decodeResponse } from '../../protocol/frame.ts'
import { bytesOf, open, type Wire } from '../harness/wire.ts'
import { NEWEST } from './keys.ts'
import { Mask } from './mask.ts'
import { readable } from './readable.ts'

export interface Scenario {
  /** theme/what-is-looked-at; `--only` matches parts of it. */
  readonly name: string
  /** Runs in each of its versions; null: once, and the exchanges name their versions. */
  readonly api: Api | null
  /** Only these versions; all that both sides serve unless given. */
  readonly versions?: readonly [number, number]
  readonly judges?: readonly Judge[]
  /** It changes what others would see: it runs after them, and alone. */
  readonly alone?: boolean
  /** The broker it asks, of the newest judge alone; the usual one unless given. */
  readonly stage?: StageName
  readonly run: (on: Case, version: number) => Promise<void>
}

export interface Exchange {
  readonly label: string
  readonly api: string
  readonly version: number
  readonly answer: Json
}

export type Ranges = ReadonlyMap<number, readonly [number, number]>

export interface Topic {
  readonly name: string
  readonly id: string
  readonly partitions: number
}

/** The scenario cannot go on: the broker closed the connection, or what had to be prepared failed. */
export class CaseEnded extends Error {}

/** A scenario for one API: `run` is called with each version that both sides serve. */
export const scenario = <A extends Api>(
  name: string,
  api: A | null,
  run: Scenario['run'],
  o: Pick<Scenario, 'versions' | 'judges' | 'alone' | 'stage'> = {},
): Scenario => ({ name, api, run, ...o })

/** A broker that runs, as cases see it. */
export interface AskedSide {
  readonly address: string
  readonly judge: Judge
  readonly ranges: Ranges
  readonly dirs?: readonly string[]
}

const CLIENT_ID = 'oracle'
const PATIENCE_MS = 10_000

interface Pending {
  readonly label: string
  readonly api: string
  readonly version: number
  readonly wait: Promise<unknown>
}

/** One scenario in one version on one broker. */
export class Case {
  readonly judge: Judge
  /** The log directories of the broker; none where it is in memory. */
  readonly dirs: readonly string[]
  readonly #address: string
  readonly #slug: string
  readonly #ranges: Ranges
  readonly #began = Date.now()
  readonly #pending: Pending[] = []
  readonly #wires: Wire[] = []
  readonly #topics: Topic[] = []
  readonly #groups: string[] = []
  #wire: Wire | null = null
  #correlationId = 0

  constructor(o: AskedSide & { slug: string }) {
    this.#address = o.address
    this.dirs = o.dirs ?? []
    this.judge = o.judge
    this.#slug = o.slug
    this.#ranges = o.ranges
  }

  /** Whether the judge of this case is the newest broker: some answers changed between the two. */
  get newest(): boolean {
    return this.judge === NEWEST
  }

  /** The newest version that both sides serve; null: none. */
  newestOf(api: Api): number | null {
    return this.#ranges.get(api.key)?.[1] ?? null
  }

  /** A name of this case alone, the same on both sides. */
  name(hint: string): string {
    return `${this.#slug}-${hint}`
  }

  /** Name of a group whose state and offsets are compared at the end. */
  group(hint: string): string {
    const name = this.name(hint)
    if (!this.#groups.includes(name)) this.#groups.push(name)
    return name
  }

  /** Now, for requests that carry times of the day. */
  get now(): number {
    return this.#began
  }

  /** A topic whose records are compared at the end. Resolves when the broker answers for each partition. */
  async topic(hint: string, o: { partitions?: number; configs?: Record<string, string> } = {}): Promise<Topic> {
    const name = this.name(hint)
    const partitions = o.partitions ?? 1
    const configs = Object.entries(o.configs ?? {}).map(([key, value]) => ({ name: key, value }))
    const { topics } = await this.use(CreateTopics, {
      topics: [{ name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs }],
      timeoutMs: 30_000,
    })
    if (topics[0]?.errorCode !== 0) throw new CaseEnded(`CreateTopics ${name}: error ${topics[0]?.errorCode}`)
    return this.track(name, partitions)
  }

  /** Looks at this topic too at the end; one that the broker made by itself. */
  async track(name: string, partitions = 1): Promise<Topic> {
    await this.leads(name, partitions)
    const topic = { ...(await this.lookUp(name)), partitions }
    this.#topics.push(topic)
    return topic
  }

  /** A topic that exists anyway, not looked at at the end. */
  async lookUp(name: string): Promise<Topic> {
    const { topics } = await this.use(Metadata, { topics: [{ name }], allowAutoTopicCreation: false })
    return { name, id: topics[0]!.topicId, partitions: topics[0]!.partitions.length }
  }

  /** Kafka's controller answers before its broker half has heard of it. */
  async leads(name: string, partitions: number): Promise<void> {
    await this.until(`${name} has leaders`, async () => {
      const { topics } = await this.use(ListOffsets, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name, partitions: Array.from({ length: partitions }, (_, i) => earliest(i)) }],
        timeoutMs: 1000,
      })
      return topics[0]?.partitions.every(({ errorCode }) => errorCode === 0) ?? false
    })
  }

  /** Asks again until it is so. */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + PATIENCE_MS
    while (!(await holds())) {
      if (Date.now() > end) throw new CaseEnded(`Not within ${PATIENCE_MS / 1000} s: ${what}`)
      await pause(5)
    }
  }

  /** A connection of its own. */
  async connect(): Promise<Wire> {
    const wire = await open(this.#address)
    this.#wires.push(wire)
    return wire
  }

  /** The exchange: an answer that is compared. Rejects with CaseEnded when the connection closes instead. */
  async ask<A extends Api>(label: string, api: A, version: number, ask: AskOf<A>, on?: Wire): Promise<ResponseOf<A>> {
    const answer = await this.attempt(label, api, version, ask, on)
    if (answer === null) throw new CaseEnded('the connection was closed')
    return answer
  }

  /** Like ask; null where the connection is closed instead. `keep` chooses what of the answer is compared. */
  attempt<A extends Api>(
    label: string,
    api: A,
    version: number,
    ask: AskOf<A>,
    on?: Wire,
    keep: (answer: ResponseOf<A>) => unknown = answer => answer,
  ): Promise<ResponseOf<A> | null> {
    const correlationId = ++this.#correlationId
    const frame = bytesOf(encodeRequest(api, version, correlationId, CLIENT_ID, ask).chunks)
    const answered = this.#send(frame, on).then(bytes => decoded(api, version, correlationId, bytes))
    const compared = answered.then(answer => (answer === null ? 'closed' : keep(answer)))
    this.#note(label, api.name, version, compared)
    return answered
  }

  /** Sends bytes as they are; what comes back is compared as `read` makes it out of the frame. `of`: whose request it is. */
  async raw(
    label: string,
    frame: Uint8Array,
    read: (answer: Buffer) => unknown,
    on?: Wire,
    of = { name: 'raw', version: 0 },
  ): Promise<void> {
    const answered = this.#send(frame, on).then(answer => (answer === null ? 'closed' : read(answer)))
    this.#note(label, of.name, of.version, answered)
    await answered
  }

  /** Compares a value that was made out of answers. */
  note(label: string, value: unknown, api = 'note', version = 0): void {
    this.#note(label, api, version, Promise.resolve(value))
  }

  /**
   * A request that gets no answer: compared is whether the connection lives on, told by an ApiVersions behind it, or
   * was closed.
   */
  async post<A extends Api>(label: string, api: A, version: number, ask: AskOf<A>): Promise<void> {
    const wire = await this.connect()
    wire.post(bytesOf(encodeRequest(api, version, 7, CLIENT_ID, ask).chunks))
    const next = bytesOf(encodeRequest(ApiVersions, 0, 8, CLIENT_ID, {}).chunks)
    const outcome = within(wire.raw(next)).then(answer =>
      answer === null ? 'closed' : `answer ${answer.readInt32BE(0)}`,
    )
    this.#note(label, api.name, version, outcome)
    await outcome
    wire.close()
  }

  /** A request in preparation of others, in the newest version that both sides serve; its answer is not compared. */
  async use<A extends Api>(api: A, ask: AskOf<A>, on?: Wire): Promise<ResponseOf<A>> {
    const version = this.#ranges.get(api.key)?.[1]
    if (version === undefined) throw new CaseEnded(`${api.name} is not served`)
    return this.useVersion(api, version, ask, on)
  }

  /** The same, in a version that matters. */
  async useVersion<A extends Api>(api: A, version: number, ask: AskOf<A>, on?: Wire): Promise<ResponseOf<A>> {
    const correlationId = ++this.#correlationId
    const frame = bytesOf(encodeRequest(api, version, correlationId, CLIENT_ID, ask).chunks)
    const answer = decoded(api, version, correlationId, await this.#send(frame, on))
    if (answer === null) throw new CaseEnded(`${api.name} ${version}: the connection was closed`)
    return answer
  }

  async #send(frame: Uint8Array, on?: Wire): Promise<Buffer | null> {
    if (on !== undefined) return within(on.raw(frame))
    this.#wire ??= await this.connect()
    const wire = this.#wire
    const answer = await within(wire.raw(frame))
    if (answer === null && this.#wire === wire) this.#wire = null
    return answer === null ? null : Buffer.from(answer)
  }

  #note(label: string, api: string, version: number, wait: Promise<unknown>): void {
    wait.catch(() => undefined)
    this.#pending.push({ label, api, version, wait })
  }

  /** What the case leaves: log ends and records of its topics, state and offsets of its groups. */
  async leave(): Promise<void> {
    for (const topic of this.#topics) {
      for (let partition = 0; partition < topic.partitions; partition++) {
        // oxlint-disable-next-line no-await-in-loop -- in order
        await this.ask(`left in ${topic.name}-${partition}`, Fetch, 12, readAll(topic.name, partition))
      }
    }
    for (const groupId of this.#groups) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      await this.ask(`offsets left of ${groupId}`, OffsetFetch, 7, { groupId, topics: null, groups: [] })
      // oxlint-disable-next-line no-await-in-loop -- in order
      await this.ask(`state left of ${groupId}`, DescribeGroups, 5, { groups: [groupId] })
    }
  }

  /** All exchanges in the order in which they were begun, masked. */
  async exchanges(): Promise<Exchange[]> {
    const mask = new Mask(Number(this.#address.slice(this.#address.lastIndexOf(':') + 1)), this.#began, this.#slug)
    const done: Exchange[] = []
    for (const { label, api, version, wait } of this.#pending) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      const answer = await within(wait).catch((error: Error) => ({ failed: error.message }))
      done.push({ label: mask.apply(label) as string, api, version, answer: mask.apply(readable(answer)) })
    }
    return done
  }

  close(): void {
    for (const wire of this.#wires) wire.close()
  }
}

/** Groups that between them lie on every partition of the coordinator's topic, to wait until all are served. */
export const groupNames = Array.from({ length: 12 }, (_, i) => `warm-up-${i}`)

/** Prepares a broker that was just started: the coordinator's topic exists and is served. */
export async function warmUp(on: Case): Promise<void> {
  await on.until('there is a coordinator', async () => {
    const { coordinators } = await on.useVersion(FindCoordinator, 4, { coordinatorKeys: groupNames })
    return coordinators.every(({ errorCode }) => errorCode === 0)
  })
  await on.until('there are producer ids', async () => {
    const { errorCode } = await on.useVersion(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1000 })
    return errorCode === 0
  })
  await on.until('groups are served', async () => {
    const { groups } = await on.useVersion(DescribeGroups, 5, { groups: groupNames })
    return groups.every(({ errorCode }) => errorCode === 0)
  })
}

export const pause = (ms: number): Promise<void> => new Promise(resolve => void setTimeout(resolve, ms))

function within<T>(wait: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(new CaseEnded(`no answer within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS)
    wait.then(
      () => clearTimeout(timer),
      () => clearTimeout(timer),
    )
  })
  return Promise.race([wait, late])
}

function decoded<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  bytes: Buffer | null,
): ResponseOf<A> | null {
  if (bytes === null) return null
  const answer = decodeResponse(api, version, bytes)
  if (answer.correlationId !== correlationId) throw new Error(`answer to ${answer.correlationId}`)
  return answer.value
}

const earliest = (partitionIndex: number) => ({ partitionIndex, timestamp: -2 })

const readAll = (topic: string, partition: number): AskOf<typeof Fetch> => ({
  maxWaitMs: 0,
  minBytes: 0,
  maxBytes: 8 << 20,
  topics: [{ topic, partitions: [{ partition, fetchOffset: 0, partitionMaxBytes: 8 << 20 }] }],
  forgottenTopicsData: [],
})
