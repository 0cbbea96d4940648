// Clients that live through every swap, as an application does: KafkaJS, an idempotent producer that numbers its messages
// and a group that consumes them, always at the same address.
import kafkajs, { type Consumer, type Producer } from 'kafkajs'
import { eventually, within } from '../harness/index.ts'
import { open } from '../harness/wire.ts'
import { ask, recordsFrom } from './state.ts'
import { ListOffsets } from '../../protocol/messages/index.ts'

const PARTITIONS = 3

export class Live {
  readonly #bootstrap: string
  readonly #producer: Producer
  readonly #consumer: Consumer
  readonly #seen = new Map<string, number>()
  #sent = 0
  #sending: Promise<void> | null = null
  #stopped = false
  #failure: Error | null = null

  constructor(bootstrap: string) {
    this.#bootstrap = bootstrap
    const retry = { initialRetryTime: 100, maxRetryTime: 500, retries: 500 }
    const kafka = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING, retry })
    this.#producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, retry })
    this.#consumer = kafka.consumer({ groupId: 'live', sessionTimeout: 10_000, heartbeatInterval: 500, retry })
  }

  async start(): Promise<void> {
    await this.#producer.connect()
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topic: 'live', fromBeginning: true })
    await this.#consumer.run({
      autoCommitInterval: 200,
      eachMessage: ({ message }) => {
        const value = String(message.value)
        this.#seen.set(value, (this.#seen.get(value) ?? 0) + 1)
        return Promise.resolve()
      },
    })
    this.#sending = this.#send().catch((error: unknown) => {
      this.#failure = error instanceof Error ? error : new Error(String(error))
    })
  }

  get sent(): number {
    return this.#sent
  }

  async #send(): Promise<void> {
    while (!this.#stopped) {
      const message = { value: `live ${this.#sent}`, partition: this.#sent % PARTITIONS }
      await this.#producer.send({ topic: 'live', acks: -1, messages: [message] })
      this.#sent++
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  /** Resolves when the clients work with the side that runs now. */
  async isAtWork(): Promise<void> {
    const sent = this.#sent
    await eventually(
      'live clients at work',
      () => this.#check() && this.#sent > sent && this.#seen.has(`live ${sent}`),
      {
        ms: 60_000,
        everyMs: 100,
      },
    )
  }

  #check(): boolean {
    if (this.#failure !== null) throw new Error(`the live producer gave up: ${this.#failure.message}`)
    return true
  }

  /** Stops them and compares: each message once in the log and in order, each seen by the consumer. */
  async finish(): Promise<{ sent: number; consumed: number; repeated: number }> {
    this.#stopped = true
    await this.#sending
    this.#check()
    const isComplete = () => this.#seen.size >= this.#sent
    await eventually(`${this.#sent} consumed`, isComplete, { ms: 60_000, everyMs: 100 })
    await this.#consumer.disconnect()
    await this.#producer.disconnect()
    const wire = await open(this.#bootstrap)
    const found: string[] = []
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const topics = [
        { name: 'live', partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp: -1 }] },
      ]
      const reply = await ask(wire, ListOffsets, 7, { replicaId: -1, isolationLevel: 0, topics })
      const end = reply.topics[0]!.partitions[0]!.offset
      const before = found.length
      for await (const { value } of recordsFrom(wire, 'live', partition, 0, end)) found.push(value!)
      const numbers = found.slice(before).map(value => Number(value.slice(5)))
      if (numbers.some((number, n) => number !== n * PARTITIONS + partition))
        throw new Error(`live-${partition} is not in order: ${numbers.join(' ').slice(0, 2000)}`)
    }
    wire.close()
    if (found.length !== this.#sent) throw new Error(`${found.length} of ${this.#sent} live messages in the log`)
    const repeated = [...this.#seen.values()].filter(times => times > 1).length
    return { sent: this.#sent, consumed: this.#seen.size, repeated }
  }

  async abandon(): Promise<void> {
    this.#stopped = true
    const gone = Promise.allSettled([this.#consumer.disconnect(), this.#producer.disconnect()])
    await within(3000, 'the end of the live clients', gone).catch(() => undefined)
  }
}
