// What compaction leaves of a topic: the same batches, byte for byte where no compressor is at work.
import type { BatchToEncode } from '../../../protocol/records/encode.ts'
import { scenario, type Case, type Topic } from '../scenario.ts'
import { EndTxn, Fetch, IncrementalAlterConfigs, Produce } from '../../../protocol/index.ts'
import { batchesOf, nextOffset } from '../../../protocol/records/batch.ts'
import { batch, fetchFrom, fill, produceTo, producer, T0, utf8 } from './requests.ts'
import { DELETE, edits, SET } from './alter-configs.ts'
import { add, begin, complete, end } from './transactions.ts'

const TOPIC = 2
const BROKER = 4
const RATIO = 'min.cleanable.dirty.ratio'
/** Kafka's new cleaner gets a buffer of its own, for which its small heap has no room otherwise. */
const often = { 'log.cleaner.backoff.ms': '100', 'log.cleaner.dedupe.buffer.size': '4194304' }
const asBefore = { 'log.cleaner.backoff.ms': null, 'log.cleaner.dedupe.buffer.size': null }
/** Later than any marker, which has the time of the day: a batch of such a time begins a new segment. */
const LATER = 4_102_444_800_000
const DAY_MS = 86_400_000

type Entry = readonly [key: string, value: string | null]

const of = (entries: readonly Entry[], o: Partial<BatchToEncode> = {}): Buffer =>
  batch([], {
    records: entries.map(([key, value], n) => ({
      key: utf8(key),
      value: value === null ? null : utf8(value),
      timestamp: T0 + n,
      ...(n === 1 && { headers: [{ key: 'h', value: utf8('header') }] }),
    })),
    ...o,
  })

/** Set, or null: as it was. */
const change = (on: Case, type: number, name: string, values: Readonly<Record<string, string | null>>) => {
  const list = Object.entries(values).map(([key, value]) => [key, value === null ? DELETE : SET, value] as const)
  return on.use(IncrementalAlterConfigs, { resources: [edits(type, name, list)], validateOnly: false })
}

/** One answer may hold the batches of one segment alone. */
async function batchCount(on: Case, topic: Topic): Promise<number> {
  let count = 0
  for (let offset = 0; ;) {
    // oxlint-disable-next-line no-await-in-loop -- in order
    const { responses } = await on.useVersion(Fetch, 12, fetchFrom(12, topic, { offset }))
    const bytes = Buffer.concat(responses[0]?.partitions[0]?.records?.parts ?? [])
    if (bytes.length === 0) return count
    for (const at of batchesOf(bytes)) {
      count++
      offset = nextOffset(bytes, at)
    }
  }
}

/** Seals what there is with a batch of a later day, and waits until it is compacted, once. */
async function compact(on: Case, topic: Topic, days: number): Promise<void> {
  const record = { key: utf8('day'), value: utf8(`${days}`), timestamp: LATER + days * DAY_MS }
  await fill(on, topic, batch([], { records: [record] }))
  const before = await batchCount(on, topic)
  await change(on, TOPIC, topic.name, { [RATIO]: '0' })
  await on.until('the topic is compacted', async () => (await batchCount(on, topic)) < before)
  await change(on, TOPIC, topic.name, { [RATIO]: '1' })
}

async function transaction(on: Case, topic: Topic, hint: string, committed: boolean, entries: Entry[]): Promise<void> {
  const p = await begin(on, hint)
  await add(on, p, topic, 0)
  const bytes = of(entries, { ...p, baseSequence: 0, isTransactional: true })
  await on.useVersion(Produce, 9, produceTo(9, topic, bytes, { transactionalId: p.transactionalId }))
  await on.useVersion(EndTxn, 3, end(p, committed))
  await complete(on, p)
}

export const compactionScenarios = [
  scenario(
    'compaction/what is left',
    null,
    async on => {
      const configs = {
        'cleanup.policy': 'compact',
        [RATIO]: '1',
        'segment.ms': '3600000',
        'delete.retention.ms': '0',
        'message.timestamp.after.max.ms': '9223372036854775807',
      }
      const topic = await on.topic('t', { configs })
      await change(on, BROKER, '', often)
      const producerId = await producer(on)
      const idempotent = (baseSequence: number) => ({ producerId, producerEpoch: 0, baseSequence })
      const look = (label: string, offset: number, isolationLevel = 0) =>
        on.ask(label, Fetch, 12, fetchFrom(12, topic, { offset, isolationLevel }))
      await fill(
        on,
        topic,
        of([
          ['a', '1'],
          ['b', '1'],
          ['c', '1'],
        ]),
      )
      await fill(
        on,
        topic,
        of(
          [
            ['a', '2'],
            ['b', '2'],
          ],
          { codec: 1 },
        ),
      )
      await fill(
        on,
        topic,
        of(
          [
            ['d', '1'],
            ['e', '1'],
            ['f', '1'],
          ],
          { codec: 3 },
        ),
      )
      await fill(
        on,
        topic,
        of(
          [
            ['a', '3'],
            ['g', '1'],
          ],
          idempotent(0),
        ),
      )
      await fill(on, topic, of([['a', '4']], idempotent(2)))
      await transaction(on, topic, 'commits', true, [
        ['h', '1'],
        ['a', 'committed'],
      ])
      await transaction(on, topic, 'aborts', false, [
        ['h', 'aborted'],
        ['i', 'aborted'],
      ])
      await transaction(on, topic, 'aborts too', false, [['i', 'aborted']])
      await fill(
        on,
        topic,
        of([
          ['d', null],
          ['e', '2'],
          ['x', null],
        ]),
      )
      await fill(
        on,
        topic,
        of(
          [
            ['f', '2'],
            ['a', '5'],
            ['f', '3'],
          ],
          { codec: 2 },
        ),
      )
      await compact(on, topic, 1)
      await look('after one run', 0)
      await look('from the middle, committed', 6, 1)
      await fill(
        on,
        topic,
        of([
          ['c', '2'],
          ['g', '2'],
        ]),
      )
      await compact(on, topic, 2)
      await look('after the second', 0, 1)
      await fill(on, topic, of([['b', null]]))
      await compact(on, topic, 3)
      await look('after the third', 0, 1)
      await change(on, BROKER, '', asBefore)
    },
    { alone: true },
  ),
]
