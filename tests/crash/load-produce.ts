// Producers that keep several requests in flight, and a consumer that reads what they wrote as soon as it is readable.
import type { Load, ProduceOptions, Sizes } from './load.ts'
import type { Batch, Model, PartitionModel } from './model.ts'
import { Fetch, InitProducerId, errorOf } from '../../protocol/index.ts'
import { batchesOf } from '../../protocol/records/batch.ts'
import { accept, byTopic, newBatch, sendBatches } from './load.ts'
import { idsIn } from './model.ts'

export interface ProducerOptions extends ProduceOptions {
  readonly logs: readonly PartitionModel[]
  readonly sizes: Sizes
  readonly inFlight: number
}

/** Without ids and sequences: each batch is sent once. */
export async function plainProducer(load: Load, o: ProducerOptions): Promise<void> {
  const { wire, random, stopped, model } = load
  while (!wire.isClosed && !stopped()) {
    if (wire.unanswered >= o.inFlight) {
      await wire.progress()
      continue
    }
    const logs = o.logs.filter(() => random.chance(0.5))
    const batches = logs.map(log => newBatch(load, log, o.sizes))
    if (batches.length > 0) void sendBatches(load, batches, o, accept(model))
  }
}

/** Kafka's bound on the batches that a producer may have in flight to one partition (KIP-98, KIP-360). */
const WINDOW = 5

interface Lane {
  readonly log: PartitionModel
  nextSequence: number
  /** Sent and not answered, in the order of their sequences. */
  readonly inFlight: Batch[]
  last: { batch: Batch; baseOffset: number } | null
}

/** A producer with id and sequences; it lives on through crashes and sends again what was not answered. */
export class IdempotentProducer {
  readonly #model: Model
  readonly #id: number
  readonly #epoch: number
  readonly #lanes: Lane[]

  constructor(model: Model, id: number, epoch: number, logs: readonly PartitionModel[]) {
    this.#model = model
    this.#id = id
    this.#epoch = epoch
    this.#lanes = logs.map(log => ({ log, nextSequence: 0, inFlight: [], last: null }))
  }

  static async create({ wire, model }: Load, logs: readonly PartitionModel[]): Promise<IdempotentProducer | null> {
    const reply = await wire.send(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1000 })
    if (!reply) return null
    if (reply.errorCode !== 0) model.problems.push(`InitProducerId was refused: ${errorOf(reply.errorCode).name}`)
    model.producerId(reply.producerId)
    return new IdempotentProducer(model, reply.producerId, reply.producerEpoch, logs)
  }

  has(batch: Batch): boolean {
    return this.#lanes.some(({ inFlight }) => inFlight.includes(batch))
  }

  async run(load: Load, sizes: Sizes, o: ProduceOptions): Promise<void> {
    const { wire, random, stopped } = load
    while (!wire.isClosed && !stopped()) {
      const free = this.#lanes.filter(({ inFlight }) => inFlight.length < WINDOW)
      if (free.length === 0 || wire.unanswered >= 10) {
        await wire.progress()
        continue
      }
      const lanes = free.filter(() => random.chance(0.5))
      const batches = lanes.map(lane => {
        const baseSequence = lane.nextSequence
        const batch = newBatch(load, lane.log, sizes, {
          producerId: this.#id,
          producerEpoch: this.#epoch,
          baseSequence,
        })
        lane.nextSequence += batch.ids.length
        lane.inFlight.push(batch)
        return batch
      })
      if (batches.length > 0) void this.#send(load, batches, o)
    }
  }

  /**
   * Sends again the last answered batch and all that were not answered, in order, as a client does when it is back. The
   * first must get its old offset; after this everything is acknowledged.
   */
  async retry(load: Load): Promise<void> {
    for (const lane of this.#lanes) {
      const { last, inFlight, log } = lane
      // The broker remembers five batches: with the unanswered ones the last one is among them.
      if (last && inFlight.length < WINDOW) {
        const { batch, baseOffset } = last
        await sendBatches(load, [batch], { acks: -1 }, (_, answer) => {
          if (answer.errorCode === 0 && answer.baseOffset === baseOffset) return
          const what = answer.errorCode === 0 ? `offset ${answer.baseOffset}` : errorOf(answer.errorCode).name
          const text = `${log.topic}-${log.partition}: the last batch, at ${baseOffset}, sent again gave ${what}`
          this.#model.problems.push(text)
        })
      }
      await Promise.all([...inFlight].map(batch => this.#send(load, [batch], { acks: -1 })))
    }
  }

  #send(load: Load, batches: readonly Batch[], o: ProduceOptions): Promise<void> {
    return sendBatches(load, batches, o, (batch, answer) => {
      const lane = this.#lanes.find(({ log }) => log === batch.log)!
      accept(this.#model)(batch, answer)
      lane.inFlight.splice(lane.inFlight.indexOf(batch), 1)
      if (answer.errorCode === 0) lane.last = { batch, baseOffset: answer.baseOffset }
    })
  }
}

/** Asks for producer ids, several at a time; none may come twice. */
export async function initProducerIds({ wire, model, random, stopped }: Load): Promise<void> {
  while (!wire.isClosed && !stopped()) {
    const asks = Array.from({ length: random.int(1, 20) }, () =>
      wire.send(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1000 }),
    )
    for (const reply of await Promise.all(asks)) if (reply?.errorCode === 0) model.producerId(reply.producerId)
  }
}

/** Reads partitions from their ends on, while producers are at work: what was read once must stay as it is. */
export async function tail({ wire, model, random, stopped }: Load, logs: readonly PartitionModel[]): Promise<void> {
  const offsets = new Map(logs.map(log => [log, log.size]))
  while (!wire.isClosed && !stopped()) {
    const topics = byTopic(logs, ({ topic }) => topic)
    const reply = await wire.send(Fetch, 12, {
      maxWaitMs: 20,
      minBytes: 1,
      maxBytes: 1 << 20,
      isolationLevel: random.int(0, 1),
      topics: [...topics].map(([topic, own]) => ({
        topic,
        partitions: own.map(log => ({
          partition: log.partition,
          fetchOffset: offsets.get(log)!,
          partitionMaxBytes: 65536,
        })),
      })),
      forgottenTopicsData: [],
    })
    for (const { topic, partitions } of reply?.responses ?? []) {
      for (const { partitionIndex, errorCode, records } of partitions) {
        const log = logs.find(own => own.topic === topic && own.partition === partitionIndex)!
        if (errorCode !== 0) model.problems.push(`Fetch of ${topic}-${partitionIndex}: ${errorOf(errorCode).name}`)
        const from = offsets.get(log)!
        for (const part of records?.parts ?? []) {
          for (const at of batchesOf(part)) {
            for (const { offset, id } of idsIn(part, at, model.problems)) {
              if (offset < from) continue
              log.seen(offset, id)
              offsets.set(log, offset + 1)
            }
          }
        }
      }
    }
  }
}
