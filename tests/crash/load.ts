// What every load is given, and what all of them do alike.
import type { Batch, Model, PartitionModel } from './model.ts'
import type { Random } from './random.ts'
import type { Wire } from './wire.ts'
import type { ResponseOf } from '../../protocol/index.ts'
import { Produce, ZERO_UUID, errorOf } from '../../protocol/index.ts'
import { encodeBatch } from '../../protocol/records/record.ts'
import { recordOf } from './model.ts'

export interface Load {
  readonly model: Model
  readonly random: Random
  readonly wire: Wire
  /** No new request is sent once it says true. */
  readonly stopped: () => boolean
}

/** How big the records and batches of a load are. */
export interface Sizes {
  readonly records: number
  readonly minBytes: number
  readonly maxBytes: number
}

export interface Sequencing {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
}

export function newBatch(
  { model, random }: Pick<Load, 'model' | 'random'>,
  log: PartitionModel,
  sizes: Sizes,
  sequencing?: Sequencing,
): Batch {
  const ids = Array.from({ length: random.int(1, sizes.records) }, () =>
    model.recordId(random.int(sizes.minBytes, sizes.maxBytes)),
  )
  const codec = random.chance(0.3) ? random.int(1, 4) : 0
  const bytes = encodeBatch({ timestamp: Date.now(), codec, ...sequencing, records: ids.map(recordOf) })
  const batch = { log, ids, bytes }
  log.open.add(batch)
  return batch
}

export interface ProduceOptions {
  readonly acks: 1 | -1
  /** Topic ids where they are known: version 13 instead of 9. */
  readonly topicIds?: boolean
}

type PartitionAnswer = ResponseOf<typeof Produce>['responses'][number]['partitionResponses'][number]

/** Sends batches of several partitions in one request; `answered` is told of each, in the order of `batches`. */
export async function sendBatches(
  { wire, model }: Pick<Load, 'wire' | 'model'>,
  batches: readonly Batch[],
  { acks, topicIds = false }: ProduceOptions,
  answered: (batch: Batch, answer: PartitionAnswer) => void,
): Promise<void> {
  const topics = byTopic(batches, ({ log }) => log.topic)
  const version = topicIds ? 13 : 9
  const topicData = [...topics].map(([name, own]) => ({
    ...(topicIds ? { topicId: model.topic(name).id } : { name }),
    partitionData: own.map(({ log, bytes }) => ({
      index: log.partition,
      records: { byteLength: bytes.length, parts: [bytes] },
    })),
  }))
  const reply = await wire.send(Produce, version, { acks, timeoutMs: 30_000, topicData })
  if (!reply) return
  for (const { name, topicId, partitionResponses } of reply.responses) {
    const topic = topicId === ZERO_UUID ? name : [...topics.keys()].find(other => model.topic(other).id === topicId)
    for (const answer of partitionResponses) {
      const batch = topics.get(topic ?? '')?.find(({ log }) => log.partition === answer.index)
      if (batch) answered(batch, answer)
      else model.problems.push(`Produce answered for ${topic}-${answer.index}, which was not in the request`)
    }
  }
}

/** The answer to a batch that nothing stands against. */
export const accept =
  (model: Model) =>
  (batch: Batch, { errorCode, baseOffset }: PartitionAnswer): void => {
    const { topic, partition } = batch.log
    if (errorCode === 0) batch.log.acknowledged(batch, baseOffset)
    else model.problems.push(`Produce to ${topic}-${partition} was refused: ${errorOf(errorCode).name}`)
  }

export function byTopic<T>(items: readonly T[], topicOf: (item: T) => string): Map<string, T[]> {
  const topics = new Map<string, T[]>()
  for (const item of items) {
    const topic = topicOf(item)
    topics.set(topic, [...(topics.get(topic) ?? []), item])
  }
  return topics
}
