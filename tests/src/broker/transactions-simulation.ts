// A simulation of transactions: producers of both versions, some with the same transactional id, on real handlers,
// coordinators and logs over a disk that loses what was not synced; time-outs, crashes in the middle of a request, repeated
// and late requests. A small model says what read_committed may see.
import assert from 'node:assert'
import {
  CONCURRENT_TRANSACTIONS,
  COORDINATOR_LOAD_IN_PROGRESS,
  NONE,
  NOT_COORDINATOR,
  NOT_ENOUGH_REPLICAS,
  REQUEST_TIMED_OUT,
} from '../../../protocol/errors.ts'
import type { Files } from '../../../storage/files.ts'
import { crashFiles, type CrashFiles } from '../../../storage/files-crash.ts'
import type { TestBroker } from './harness.ts'
import { committedOffset, consume, letMarkersOut, startBroker, TestProducer } from './transactional-client.ts'

export const PRODUCERS = 4
export const PARTITIONS = 2
const TIMEOUT_MS = 30_000

export type Step =
  | { readonly type: 'init' | 'commit' | 'abort' | 'offset' | 'late'; readonly producer: number }
  | { readonly type: 'send'; readonly producer: number; readonly partition: number }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'read' }
  /**
   * Before the step is answered, after so many turns of the event loop, in the last of which (from `syncs` on) no sync ends;
   * `power`: what was not synced is lost.
   */
  | {
      readonly type: 'crash'
      readonly turns: number
      readonly syncs: number
      readonly power: boolean
      readonly during: Operation
    }

type Operation = Extract<Step, { producer: number }>

/** Answers that mean: the same again, a little later. */
const RETRIABLE = new Set<number>([
  CONCURRENT_TRANSACTIONS,
  COORDINATOR_LOAD_IN_PROGRESS,
  NOT_COORDINATOR,
  NOT_ENOUGH_REPLICAS,
  REQUEST_TIMED_OUT,
])

interface Attempt {
  readonly values: { partition: number; value: string }[]
  offset: number | null
}

interface Actor {
  readonly producer: TestProducer
  readonly version: number
  /** Has an epoch, and no error since. */
  isReady: boolean
  attempt: Attempt
}

const newAttempt = (): Attempt => ({ values: [], offset: null })

export class TransactionSimulation {
  readonly #files: CrashFiles
  #process: Mortal
  readonly #actors: Actor[] = []
  readonly #committed: Attempt[] = []
  readonly #cursors = Array.from({ length: PARTITIONS }, () => ({ offset: 0, values: [] as string[] }))
  #broker: TestBroker
  #seed = 1
  #value = 0
  #offset = 0
  #lastCommittedOffset = -1
  crashes = 0

  private constructor(broker: TestBroker, files: CrashFiles, process: Mortal) {
    this.#broker = broker
    this.#files = files
    this.#process = process
  }

  static async start(): Promise<TransactionSimulation> {
    const files = crashFiles()
    const process = mortal(files)
    const broker = await startBroker({ files: process.files })
    await broker.createTopic('t', PARTITIONS)
    await broker.opened.broker.ensureInternalTopic('__consumer_offsets')
    const simulation = new TransactionSimulation(broker, files, process)
    // Two of each version; the last two share an id, so that each makes a zombie of the other.
    for (let n = 0; n < PRODUCERS; n++) {
      const version = n % 2 === 0 ? 2 : 1
      const transactionalId = `id-${Math.min(n, PRODUCERS - 2)}`
      const producer = new TestProducer(broker, { transactionalId, version, timeoutMs: TIMEOUT_MS })
      simulation.#actors.push({ producer, version, isReady: false, attempt: newAttempt() })
    }
    return simulation
  }

  async run(step: Step): Promise<void> {
    switch (step.type) {
      case 'wait':
        return this.#broker.runtime.advanceAsync(step.ms)
      case 'read':
        return this.#read()
      case 'crash':
        return this.#crashDuring(step)
      case 'init':
      case 'send':
      case 'offset':
      case 'commit':
      case 'abort':
      case 'late':
        return this.#finish(step, await this.#retry(this.#prepared(step)))
    }
  }

  /** Ends what is open, as new producers with these ids do, and compares everything with the model. */
  async finish(): Promise<void> {
    await this.#reopen(true)
    for (const { producer } of this.#actors) {
      producer.broker = this.#broker
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      assert.equal(await producer.init(), NONE)
    }
    await letMarkersOut(this.#broker)
    await this.#read()
    for (const [partition, cursor] of this.#cursors.entries()) {
      const expected = this.#committed
        .flatMap(({ values }) => values)
        .filter(sent => sent.partition === partition)
        .map(({ value }) => value)
      // Transactions of several producers lie between each other: the set counts, and that nothing comes twice.
      assert.deepEqual(cursor.values.toSorted(), expected.toSorted(), `read_committed of partition ${partition}`)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { values, nextOffset } = await consume(this.#broker, 't', { partition })
      assert.deepEqual(values, cursor.values, 'who reads along sees what a new consumer sees, in the same order')
      // oxlint-disable-next-line no-await-in-loop -- as above
      const uncommitted = await consume(this.#broker, 't', { partition, committed: false })
      assert.equal(uncommitted.nextOffset, nextOffset, 'no transaction hangs')
    }
    const { offset } = await committedOffset(this.#broker, 'g', 't', true)
    assert.equal(offset, this.#lastCommittedOffset, 'the offset written last by a transaction that committed')
  }

  /** The request of this step, to be sent as often as needed; null: a client would not send it now. */
  #prepared(step: Operation): (() => Promise<number>) | null {
    const actor = this.#actors[step.producer]!
    const { producer, attempt } = actor
    if (step.type === 'init') return () => producer.init()
    if (!actor.isReady) return null
    const isEmpty = attempt.values.length === 0 && attempt.offset === null
    switch (step.type) {
      case 'send': {
        const value = `${step.producer}.${this.#value++}`
        return async () => {
          const code = await producer.send('t', value, step.partition)
          if (code === NONE) attempt.values.push({ partition: step.partition, value })
          return code
        }
      }
      case 'offset': {
        const offset = ++this.#offset
        return async () => {
          const code = await producer.sendOffset('g', 't', offset)
          if (code === NONE) attempt.offset = offset
          return code
        }
      }
      case 'commit':
        if (isEmpty) return null
        return repeatable(producer, true)
      case 'abort':
        if (isEmpty && actor.version < 2) return null
        return repeatable(producer, false)
      case 'late':
        // The end of the transaction before, once more; the hole of version 1 is closed in version 2.
        if (actor.version < 2 || producer.producerEpoch === 0) return null
        return async () => {
          const late = await producer.endLate(this.#value % 2 === 0, producer.producerEpoch - 1)
          assert.ok(isEmpty || late !== NONE, 'a late end reached the next transaction')
          return NONE
        }
    }
  }

  async #retry(request: (() => Promise<number>) | null): Promise<number | null> {
    if (!request) return null
    for (let n = 0; n < 50; n++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const code = await request()
      if (!RETRIABLE.has(code)) return code
      // oxlint-disable-next-line no-await-in-loop -- as above
      await this.#broker.runtime.advanceAsync(50)
    }
    throw new Error('a request was never answered for good')
  }

  #finish(step: Operation, code: number | null): void {
    if (code === null) return
    const actor = this.#actors[step.producer]!
    if (step.type === 'init') {
      assert.equal(code, NONE)
      actor.attempt = newAttempt()
      actor.isReady = true
      return
    }
    if (code !== NONE) {
      // Fenced, or timed out: whatever was sent is never committed.
      actor.isReady = false
      return
    }
    if (step.type !== 'commit' && step.type !== 'abort') return
    if (step.type === 'commit') {
      this.#committed.push(actor.attempt)
      // Of two transactions that commit an offset the one written later counts, whichever ends first, as in Kafka.
      this.#lastCommittedOffset = Math.max(this.#lastCommittedOffset, actor.attempt.offset ?? -1)
    }
    actor.attempt = newAttempt()
  }

  /** The client gets no answer, finds the broker again and sends the same once more. */
  async #crashDuring({ during, turns, syncs, power }: Extract<Step, { type: 'crash' }>): Promise<void> {
    const request = this.#prepared(during)
    let answer: number | null = null
    const pending = request?.().then(
      code => (answer = code),
      () => undefined,
    )
    for (let turn = 0; turn < turns; turn++) {
      if (turn === syncs) this.#files.holdSyncs()
      // oxlint-disable-next-line no-await-in-loop -- turns of the event loop
      await new Promise(resolve => void setImmediate(resolve))
      this.#broker.runtime.flush()
    }
    await this.#reopen(power)
    // What had been answered is known by now; nothing else comes from a broker that is dead.
    await Promise.race([pending, new Promise(resolve => void setImmediate(resolve))])
    for (const { producer } of this.#actors) producer.broker = this.#broker
    const isAnswered = answer !== null && (answer === NONE || during.type === 'late')
    this.#finish(during, isAnswered ? answer : await this.#retry(request))
  }

  async #reopen(power: boolean): Promise<void> {
    this.crashes++
    this.#process.die()
    if (power) this.#files.crash(choices => this.#seed % choices)
    else this.#files.kill()
    this.#seed += 7
    this.#process = mortal(this.#files)
    this.#broker = await startBroker({ files: this.#process.files, seed: this.#seed })
  }

  async #read(): Promise<void> {
    for (const [partition, cursor] of this.#cursors.entries()) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { values, nextOffset } = await consume(this.#broker, 't', { partition, offset: cursor.offset })
      cursor.values.push(...values)
      cursor.offset = nextOffset
    }
  }
}

interface Mortal {
  readonly files: Files
  /** What is left of the process reaches no file any more. */
  die(): void
}

function mortal(disk: CrashFiles): Mortal {
  let isDead = false
  const files = new Proxy<Files>(disk, {
    get(target, property) {
      if (isDead) throw new Error('this process was killed')
      const value: unknown = Reflect.get(target, property)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  return { files, die: () => void (isDead = true) }
}

/** An end that is sent again is the same request, whatever the producer learnt meanwhile. */
function repeatable(producer: TestProducer, commit: boolean): () => Promise<number> {
  const { producerId, producerEpoch } = producer
  return () => producer.end(commit, producerEpoch, producerId)
}
