// KafkaJS across the crash: an idempotent producer that has to find its way back by itself, and a group that consumes what it
// wrote and commits. Both go on through the kill and the restart.
import { Kafka, logLevel, type Consumer, type Producer } from 'kafkajs'
import type { Model, PartitionModel, TopicModel } from './model.ts'
import type { Random } from './random.ts'
import { recordOf } from './model.ts'

const GROUP = 'kafkajs'
/** How long a client may need to come back, retries included. */
const RECOVERY_MS = 30_000

export class KafkaJsLoad {
  readonly #model: Model
  readonly #random: Random
  readonly #topic: TopicModel
  readonly #producer: Producer
  readonly #consumer: Consumer
  readonly #received = new Set<string>()
  #receiving: () => void = () => undefined
  readonly #sent: string[] = []
  #stopping = false
  #waiting = 0
  #work: Promise<void> = Promise.resolve()

  constructor(model: Model, random: Random, topic: TopicModel, port: number) {
    this.#model = model
    this.#random = random
    this.#topic = topic
    const kafka = new Kafka({
      clientId: 'crash-kafkajs',
      brokers: [`127.0.0.1:${port}`],
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 30, maxRetryTime: 200, retries: 200 },
    })
    this.#producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false })
    this.#consumer = kafka.consumer({
      groupId: GROUP,
      sessionTimeout: 6000,
      heartbeatInterval: 200,
      rebalanceTimeout: 3000,
      maxWaitTimeInMs: 50,
      allowAutoTopicCreation: false,
    })
  }

  /** Requests of the producer that have no answer. */
  get unanswered(): number {
    return this.#waiting
  }

  async start(): Promise<void> {
    this.#model.groups.add(GROUP)
    await this.#producer.connect()
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topic: this.#topic.name, fromBeginning: true })
    this.#consumer.on('consumer.commit_offsets', ({ payload }) => {
      for (const { topic, partitions } of payload.topics) {
        if (topic !== this.#topic.name) continue
        for (const { partition, offset } of partitions) {
          this.#topic.commit(GROUP, partition).answered(Number(offset), 0)
        }
      }
    })
    await this.#consumer.run({
      autoCommitThreshold: 3,
      eachMessage: ({ partition, message }) => {
        this.#take(this.#topic.partitions[partition]!, Number(message.offset), message.key, message.value)
        return Promise.resolve()
      },
    })
    this.#work = this.#produce()
  }

  /** To be called with the broker back: resolves when everything sent is acknowledged and consumed, and all is closed. */
  async finish(): Promise<void> {
    this.#stopping = true
    const done = Promise.all([this.#work, this.#consumed()]).then(() => true)
    if (!(await Promise.race([done, timeout(RECOVERY_MS)]))) {
      const missing = this.#sent.filter(id => !this.#received.has(id)).length
      this.#model.problems.push(`KafkaJS did not come back: ${this.#waiting} unanswered, ${missing} not consumed`)
    }
    await this.#consumer.disconnect()
    await this.#producer.disconnect()
  }

  async #produce(): Promise<void> {
    const { name, partitions } = this.#topic
    while (!this.#stopping) {
      const log = this.#random.pick(partitions)
      const ids = Array.from({ length: this.#random.int(1, 4) }, () => this.#model.recordId(this.#random.int(1, 500)))
      const batch = { log, ids, bytes: Buffer.alloc(0) }
      log.open.add(batch)
      this.#waiting++
      try {
        const messages = ids.map(id => {
          const { key, value } = recordOf(id)
          return { key: key as Buffer, value: value as Buffer, headers: { id }, partition: log.partition }
        })
        const [answer] = await this.#producer.send({ topic: name, acks: -1, messages })
        log.acknowledged(batch, Number(answer!.baseOffset))
        this.#sent.push(...ids)
      } catch (error) {
        this.#model.problems.push(`KafkaJS could not send to ${name}-${log.partition}: ${String(error)}`)
        return
      } finally {
        this.#waiting--
      }
    }
  }

  #take(log: PartitionModel, offset: number, key: Buffer | null, value: Buffer | null): void {
    const id = key?.toString() ?? ''
    if (!value?.equals(recordOf(id).value!)) this.#model.problems.push(`KafkaJS read other content for ${id}`)
    log.seen(offset, id)
    this.#received.add(id)
    // What it goes on to commit may be any offset up to the next.
    this.#topic.commit(GROUP, log.partition).sent(offset + 1)
    this.#receiving()
  }

  async #consumed(): Promise<void> {
    await this.#work
    while (this.#sent.some(id => !this.#received.has(id))) {
      await new Promise<void>(resolve => (this.#receiving = resolve))
    }
  }
}

const timeout = (ms: number): Promise<false> =>
  new Promise(resolve => {
    setTimeout(() => resolve(false), ms).unref()
  })
