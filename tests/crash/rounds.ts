// One life of a data directory: a broker that is killed and restarted again and again under load, and the model of what it
// must hold.
import { mkdtempSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Load, Sizes } from './load.ts'
import type { PartitionModel, TopicModel } from './model.ts'
import type { Random } from './random.ts'
import { CreateTopics, FindCoordinator, errorOf } from '../../protocol/index.ts'
import { diskFiles } from '../../storage/files-disk.ts'
import { verifyFolder } from '../../storage/inspect-verify.ts'
import { BrokerProcess, freePort } from './broker-process.ts'
import { commits, member } from './load-groups.ts'
import { KafkaJsLoad } from './load-kafkajs.ts'
import { IdempotentProducer, initProducerIds, plainProducer, tail } from './load-produce.ts'
import { churn } from './load-topics.ts'
import { Model } from './model.ts'
import { verify } from './verify.ts'
import { Wire } from './wire.ts'

export const moments = ['steady', 'recovery', 'roll', 'topics', 'rebalance', 'commits', 'shutdown'] as const
export type Moment = (typeof moments)[number]

const SMALL: Sizes = { records: 8, minBytes: 1, maxBytes: 900 }
const BIG: Sizes = { records: 2, minBytes: 50_000, maxBytes: 300_000 }

/** Name, partitions, settings. Each way to store a batch is there. */
const TOPICS: readonly (readonly [string, number, Record<string, string>])[] = [
  ['steady', 4, {}],
  ['rolling', 3, { 'internal.segment.bytes': '20000', 'index.interval.bytes': '500' }],
  ['stamped', 2, { 'message.timestamp.type': 'LogAppendTime' }],
  ['packed', 2, { 'compression.type': 'lz4', 'internal.segment.bytes': '30000' }],
  ['flushed', 1, { 'flush.messages': '3' }],
  ['big', 2, { 'segment.bytes': '1048576', 'max.message.bytes': '2000000' }],
  ['offsets', 4, {}],
  ['kafkajs', 2, {}],
]

/** The load gets so many in about half a second. */
const MOST_ANSWERS = 4000

export interface RoundResult {
  readonly unanswered: number
  readonly how: string
  readonly problems: readonly string[]
}

export class Life {
  readonly dir = mkdtempSync(join(tmpdir(), 'odradek-crash-'))
  readonly #model = new Model()
  readonly #random: Random
  readonly #file: string
  #port = 0
  #broker: BrokerProcess | null = null
  readonly #answers = new Answers()
  #idempotent: IdempotentProducer[] = []
  /** How long the last start took. */
  #startMs = 300

  constructor(random: Random, file: string) {
    this.#random = random
    this.#file = file
  }

  /** First start and topics; in some lives the very first starts are cut short, too. */
  async begin(): Promise<void> {
    this.#port = await freePort()
    while (this.#random.chance(0.4)) await this.#cutShort()
    await this.#start()
    const wire = await this.#connect()
    for (const [name, count, settings] of TOPICS) await this.#createTopic(wire, name, count, settings)
    const found = await wire.send(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['any'] })
    const errorCode = found?.coordinators[0]?.errorCode ?? -1
    if (errorCode !== 0) this.#model.problems.push(`FindCoordinator: ${errorOf(errorCode).name}`)
    await wire.close()
  }

  async round(moment: Moment, withKafkaJs: boolean): Promise<RoundResult> {
    const random = this.#random.fork()
    let isStopped = false
    const wires: Wire[] = []
    const load = async (): Promise<Load> => {
      const wire = await this.#connect()
      wires.push(wire)
      return { model: this.#model, random: random.fork(), wire, stopped: () => isStopped }
    }
    const kafkaJs = withKafkaJs
      ? new KafkaJsLoad(this.#model, random.fork(), this.#model.topic('kafkajs'), this.#port)
      : null
    await kafkaJs?.start()
    const running = await this.#loads(moment, random, load)
    const how = await this.#kill(moment, random)
    await Promise.all(wires.map(wire => wire.closed))
    const unanswered = wires.reduce((sum, wire) => sum + wire.unanswered, kafkaJs?.unanswered ?? 0)
    isStopped = true
    await Promise.all(running)
    this.#model.isStopping = false
    this.#model.lastGenerations = new Map(this.#model.generations)

    let cuts = 0
    if (moment === 'recovery') while (cuts < 1 || random.chance(0.5)) cuts += await this.#cutShort()
    await this.#start()
    await kafkaJs?.finish()
    await this.#look()
    return { unanswered, how: cuts > 0 ? `${how}, then ${cuts} starts cut short` : how, problems: this.#problems() }
  }

  /** A clean stop, a look at the files themselves, one more start and look. Removes the directory unless something is wrong. */
  async end(): Promise<readonly string[]> {
    const { problems } = this.#model
    await this.#stop()
    const files = diskFiles(this.dir)
    const folders = files.list('').filter(name => /-\d+$/.test(name))
    for (const folder of ['', ...folders]) problems.push(...verifyFolder(files, folder))
    await this.#start()
    await this.#look()
    await this.#stop()
    const found = this.#problems()
    if (found.length === 0) this.discard()
    return found
  }

  discard(): void {
    rmSync(this.dir, { recursive: true, force: true })
  }

  /** Whatever is still running ends. */
  async abandon(): Promise<void> {
    if (this.#broker && !this.#broker.isEnded) await this.#broker.kill()
  }

  async #stop(): Promise<void> {
    this.#broker!.signal('SIGTERM')
    const how = await this.#broker!.ended
    if (how !== 0) this.#model.problems.push(`a clean stop ended with ${how}`)
    this.#complaints()
  }

  async #loads(moment: Moment, random: Random, load: () => Promise<Load>): Promise<Promise<void>[]> {
    const logs = (...names: string[]): PartitionModel[] => names.flatMap(name => this.#model.topic(name).partitions)
    const everywhere = logs('steady', 'rolling', 'stamped', 'packed', 'flushed')
    const offsets = this.#model.topic('offsets')
    const running: Promise<void>[] = []
    const topicIds = random.chance(0.5)
    if (this.#idempotent.length < 4) {
      const producer = await IdempotentProducer.create(await load(), everywhere)
      if (producer) this.#idempotent.push(producer)
    }
    for (const producer of this.#idempotent.slice(-2)) {
      running.push(producer.run(await load(), SMALL, { acks: random.pick([1, -1]), topicIds }))
    }
    for (const acks of [1, -1] as const) {
      running.push(
        plainProducer(await load(), { logs: everywhere, sizes: SMALL, acks, topicIds, inFlight: random.int(1, 12) }),
      )
    }
    running.push(tail(await load(), everywhere), initProducerIds(await load()))
    running.push(commits(await load(), 'plain', offsets))
    if (moment === 'roll') {
      running.push(plainProducer(await load(), { logs: logs('big'), sizes: BIG, acks: -1, inFlight: 4 }))
      running.push(plainProducer(await load(), { logs: logs('rolling'), sizes: SMALL, acks: 1, inFlight: 10 }))
    }
    if (moment === 'topics') {
      for (const client of ['a', 'b', 'c']) {
        const names = [1, 2, 3].map(i => `churn-${client}${i}`)
        for (const name of names) this.#model.topic(name)
        running.push(churn(await load(), names))
      }
    }
    if (moment === 'commits') {
      for (const group of ['more', 'again']) running.push(commits(await load(), group, offsets))
    }
    if (moment === 'rebalance') {
      for (const partition of [0, 1, 2, 3]) running.push(member(await load(), 'moving', offsets, partition))
    }
    return running
  }

  /** Waits for the moment, which is a number of answers and then what the moment says, and kills. */
  async #kill(moment: Moment, random: Random): Promise<string> {
    const broker = this.#broker!
    const answers = random.int(1, moment === 'rebalance' ? MOST_ANSWERS * 2 : MOST_ANSWERS)
    await Promise.race([this.#answers.reach(answers), broker.ended])
    let how = `after ${answers} answers`
    if (moment === 'roll' || moment === 'topics') {
      const folder = moment === 'roll' ? `${random.pick(['rolling', 'packed', 'big'])}-0` : ''
      how += `, ${await this.#nextFiles(folder, random.int(1, 3))}`
    }
    if (moment === 'shutdown') {
      this.#model.isStopping = true
      broker.signal('SIGTERM')
      const graceMs = random.int(0, 40)
      await broker.endedWithin(graceMs)
      how += `, ${graceMs} ms after SIGTERM`
    }
    if (broker.isEnded && moment !== 'shutdown') this.#model.problems.push('the broker ended by itself')
    const ended = await broker.kill()
    if (ended !== 'SIGKILL') how += `, it had ended (${ended})`
    this.#complaints()
    return how
  }

  /** Resolves when so many files of the folder are made, renamed or removed, or after half a second. */
  #nextFiles(folder: string, count: number): Promise<string> {
    return new Promise(resolve => {
      const done = (what: string): void => {
        watcher.close()
        clearTimeout(timer)
        resolve(what)
      }
      let left = count
      const watcher = watch(join(this.dir, folder), (event, name) => {
        if (event === 'rename' && --left === 0) done(`at ${join(folder, String(name))}`)
      })
      const timer = setTimeout(() => done('too few files came'), 500)
    })
  }

  /** A start that is killed before clients are served. @returns 1 if it was, 0 if it was too late */
  async #cutShort(): Promise<number> {
    const broker = new BrokerProcess(this.#file, this.dir, this.#port)
    const isCut = !(await broker.readyWithin(this.#random.int(20, this.#startMs)))
    if (broker.isEnded) this.#model.problems.push(`a start failed: ${broker.complaints.join('\n')}`)
    await broker.kill()
    return isCut ? 1 : 0
  }

  async #start(): Promise<void> {
    const before = performance.now()
    this.#broker = new BrokerProcess(this.#file, this.dir, this.#port)
    const failure = await this.#broker.ready
    this.#startMs = Math.round(performance.now() - before)
    if (failure !== null) throw new Error(`${failure}: ${this.#broker.complaints.join('\n')}`)
  }

  /** Everything, as it was before; then what was not answered is sent again, and everything once more. */
  async #look(): Promise<void> {
    const wire = await this.#connect()
    const load = { model: this.#model, random: this.#random.fork(), wire, stopped: () => false }
    await verify(load, batch => this.#idempotent.some(producer => producer.has(batch)))
    for (const producer of this.#idempotent) await producer.retry(load)
    await verify(load, () => false)
    await wire.close()
  }

  async #createTopic(wire: Wire, name: string, count: number, settings: Record<string, string>): Promise<void> {
    const topic: TopicModel = this.#model.topic(name)
    topic.creating(count)
    const configs = Object.entries(settings).map(([key, value]) => ({ name: key, value }))
    const request = { name, numPartitions: count, replicationFactor: 1, assignments: [], configs }
    const reply = await wire.send(CreateTopics, 7, { topics: [request] })
    const { errorCode, errorMessage, topicId } = reply!.topics[0]!
    if (errorCode !== 0) throw new Error(`${name} cannot be created: ${errorOf(errorCode).name} ${errorMessage}`)
    topic.status = 'present'
    this.#model.topicId(topic, topicId)
  }

  async #connect(): Promise<Wire> {
    const wire = await Wire.connect(this.#port, this.#answers.take)
    if (!wire) throw new Error(`the broker does not accept connections: ${this.#broker?.complaints.join('\n')}`)
    return wire
  }

  #complaints(): void {
    this.#model.problems.push(...this.#broker!.complaints.splice(0).map(line => `the broker said: ${line}`))
  }

  #problems(): string[] {
    return this.#model.problems.splice(0)
  }
}

/** Counts answers, and tells when there are enough. */
class Answers {
  #count = 0
  #enough = Infinity
  #tell: () => void = () => undefined

  readonly take = (): void => {
    if (++this.#count >= this.#enough) this.#tell()
  }

  /** Resolves when so many more have come. */
  reach(more: number): Promise<void> {
    this.#enough = this.#count + more
    return new Promise(resolve => (this.#tell = resolve))
  }
}
