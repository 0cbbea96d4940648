// Produce: what is taken, what is refused, and with which code.
import { type Case, scenario, type Topic } from '../scenario.ts'
import { Produce } from '../../../protocol/index.ts'
import { batch, NO_SUCH_ID, patched, produce, produceTo, T0, utf8 } from './requests.ts'

const DAY_MS = 86_400_000

export const produceScenarios = [
  scenario('produce/acks', Produce, async (on, v) => {
    const topic = await on.topic('t')
    await produce(on, 'acks=all', v, topic, batch(['a']))
    await produce(on, 'acks=1', v, topic, batch(['b', 'c']), { acks: 1 })
    await on.post('acks=0', Produce, v, produceTo(v, topic, batch(['d']), { acks: 0 }))
    await produce(on, 'after acks=0', v, topic, batch(['e']), { acks: 1 })
    await produce(on, 'acks=2', v, topic, batch(['f']), { acks: 2 })
    await produce(on, 'acks=-2', v, topic, batch(['g']), { acks: -2 })
    await on.post(
      'acks=0 to an unknown partition',
      Produce,
      v,
      produceTo(v, topic, batch(['h']), { acks: 0, partition: 9 }),
    )
    const bad = patched(batch(['i']), copy => copy.writeUInt8(copy.readUInt8(40) ^ 1, 40), { crc: false })
    await on.post('acks=0 with a wrong CRC', Produce, v, produceTo(v, topic, bad, { acks: 0 }))
  }),

  scenario('produce/unknown', Produce, async (on, v) => {
    const topic = await on.topic('t')
    const nowhere = { name: on.name('nowhere'), id: NO_SUCH_ID }
    await produce(on, 'unknown topic', v, nowhere, batch(['a']))
    await produce(on, 'unknown partition', v, topic, batch(['a']), { partition: 1 })
    await produce(on, 'negative partition', v, topic, batch(['a']), { partition: -1 })
    await on.ask('a good and an unknown one', Produce, v, {
      acks: -1,
      timeoutMs: 1000,
      topicData: [topic, nowhere].flatMap(of => produceTo(v, of, batch(['b'])).topicData),
    })
    await on.ask('no topics', Produce, v, { acks: -1, timeoutMs: 1000, topicData: [] })
    await on.ask('no partitions', Produce, v, {
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ ...(v >= 13 ? { topicId: topic.id } : { name: topic.name }), partitionData: [] }],
    })
    if (v < 13) await produce(on, 'an illegal name', v, { name: 'not legal!', id: NO_SUCH_ID }, batch(['a']))
    if (v < 13) await produce(on, 'an empty name', v, { name: '', id: NO_SUCH_ID }, batch(['a']))
    await internalTopic(on, v)
  }),

  scenario('produce/framing of batches', Produce, async (on, v) => {
    const topic = await on.topic('t', { partitions: 14 })
    let partition = 0
    const good = batch(['a', 'b'])
    // A partition for each, so that one that is taken does not change what follows.
    const refused = (label: string, bytes: Buffer) => closes(on, label, v, topic, bytes, partition++)
    await refused('no bytes', Buffer.alloc(0))
    await refused('two batches', Buffer.concat([good, good]))
    await refused(
      'magic 1',
      patched(good, copy => copy.writeInt8(1, 16)),
    )
    await refused(
      'magic 0',
      patched(good, copy => copy.writeInt8(0, 16)),
    )
    await refused(
      'magic 3',
      patched(good, copy => copy.writeInt8(3, 16)),
    )
    await refused('a batch cut short', good.subarray(0, good.length - 3))
    await refused('less than a header', good.subarray(0, 40))
    await refused('less than a size', good.subarray(0, 10))
    await refused('bytes after the batch', Buffer.concat([good, Buffer.alloc(5)]))
    await refused(
      'a wrong CRC',
      patched(good, copy => copy.writeUInt8(copy.readUInt8(70) ^ 1, 70), { crc: false }),
    )
    await refused(
      'a size too small for a header',
      patched(good, copy => copy.writeInt32BE(20, 8), { crc: false }),
    )
    await refused(
      'a negative size',
      patched(good, copy => copy.writeInt32BE(-1, 8), { crc: false }),
    )
  }),

  scenario('produce/records of a batch', Produce, async (on, v) => {
    const topic = await on.topic('t', { partitions: 24 })
    let partition = 0
    // A partition for each, so that one that is taken does not change what follows.
    const refused = (label: string, bytes: Buffer) => closes(on, label, v, topic, bytes, partition++)
    const good = batch(['a', 'b', 'c'])
    await refused(
      'more records declared than there are',
      patched(good, copy => copy.writeInt32BE(4, 57)),
    )
    await refused(
      'fewer records declared',
      patched(good, copy => copy.writeInt32BE(2, 57)),
    )
    await refused(
      'a negative count',
      patched(good, copy => copy.writeInt32BE(-1, 57)),
    )
    await refused(
      'a last offset delta too high',
      patched(good, copy => copy.writeInt32BE(7, 23)),
    )
    await refused(
      'a last offset delta too low',
      patched(good, copy => copy.writeInt32BE(1, 23)),
    )
    await refused(
      'a negative last offset delta',
      patched(good, copy => copy.writeInt32BE(-3, 23)),
    )
    await refused('no records', batch([]))
    await refused(
      'a record longer than the batch',
      patched(good, copy => copy.writeUInt8(0x7e, 61)),
    )
    await refused('a control batch', batch(['a'], { isControl: true }))
    await refused(
      'compression type 5',
      patched(good, copy => copy.writeInt16BE(5, 21)),
    )
    await refused(
      'compressed with gzip, but is not',
      patched(good, copy => copy.writeInt16BE(1, 21)),
    )
    await refused('a base offset of 100', batch(['d'], { baseOffset: 100 }))
    await refused('a leader epoch of 7', batch(['e'], { leaderEpoch: 7 }))
    await refused('LogAppendTime set by the client', batch(['f'], { timestampType: 'LogAppendTime', maxTimestamp: T0 }))
    await refused(
      'transactional, not in a transaction',
      batch(['g'], { isTransactional: true, producerId: 5, producerEpoch: 0, baseSequence: 0 }),
    )
    await refused('a producer id with sequence -1', batch(['h'], { producerId: 5, producerEpoch: 0, baseSequence: -1 }))
    await refused('a producer id with sequence -5', batch(['h'], { producerId: 5, producerEpoch: 0, baseSequence: -5 }))
    await refused('a producer id with epoch -1', batch(['h'], { producerId: 5, producerEpoch: -1, baseSequence: 0 }))
    await refused('no producer id but a sequence', batch(['i'], { producerId: -1, producerEpoch: 0, baseSequence: 0 }))
    await refused(
      'headers, null key, null value',
      batch([], {
        records: [
          {
            key: null,
            value: null,
            timestamp: T0,
            headers: [
              { key: 'h', value: null },
              { key: 'h', value: utf8('2') },
            ],
          },
        ],
      }),
    )
  }),

  scenario('produce/size', Produce, async (on, v) => {
    const topic = await on.topic('t', { configs: { 'max.message.bytes': '200' } })
    await produce(
      on,
      'a batch of the limit',
      v,
      topic,
      batch(['x'.repeat(200 - batch(['x'.repeat(100)]).length + 100)]),
    )
    await produce(on, 'one byte more', v, topic, batch(['x'.repeat(201 - batch(['x'.repeat(100)]).length + 100)]))
    await produce(on, 'far more', v, topic, batch(['x'.repeat(5000)]))
    await produce(on, 'far more, compressed below the limit', v, topic, batch(['x'.repeat(5000)], { codec: 1 }))
  }),

  scenario('produce/timestamps', Produce, async (on, v) => {
    const topic = await on.topic('t', {
      configs: { 'message.timestamp.before.max.ms': String(DAY_MS), 'message.timestamp.after.max.ms': '1000' },
    })
    const at = (...times: number[]) =>
      batch([], { records: times.map(timestamp => ({ key: null, value: utf8('x'), timestamp })) })
    await produce(on, 'now', v, topic, at(on.now))
    await produce(on, 'too old', v, topic, at(on.now - 2 * DAY_MS))
    await produce(on, 'too far ahead', v, topic, at(on.now + DAY_MS))
    await produce(on, 'the second of three too far ahead', v, topic, at(on.now, on.now + DAY_MS, on.now))
    await produce(on, 'two of three too old', v, topic, at(on.now - 2 * DAY_MS, on.now, on.now - 3 * DAY_MS))
    await produce(on, 'without', v, topic, at(-1))
    const appended = await on.topic('appended', { configs: { 'message.timestamp.type': 'LogAppendTime' } })
    await produce(on, 'LogAppendTime', v, appended, batch(['a', 'b']))
    await produce(on, 'LogAppendTime, any time given', v, appended, at(T0 + 4000 * DAY_MS))
    const free = await on.topic('free', { partitions: 2 })
    await produce(on, 'the default allows any past', v, free, at(0))
    await produce(on, 'the default allows an hour ahead', v, free, at(on.now + 1_800_000), { partition: 1 })
    await produce(on, 'the default forbids more', v, free, at(on.now + 2 * DAY_MS))
  }),

  scenario('produce/compression', Produce, async (on, v) => {
    const topic = await on.topic('t')
    for (const codec of [0, 1, 2, 3, 4])
      await closes(on, `codec ${codec}`, v, topic, batch(['aaaaaaaaaa', 'aaaaaaaaaa'], { codec }))
    for (const type of ['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd']) {
      const own = await on.topic(type, { configs: { 'compression.type': type } })
      await produce(on, `none to a topic of ${type}`, v, own, batch(['aaaaaaaaaa', 'b']))
      await produce(on, `gzip to a topic of ${type}`, v, own, batch(['aaaaaaaaaa', 'b'], { codec: 1 }))
    }
    const broken = patched(batch(['aaaaaaaaaaaaaaaaaaaa'], { codec: 1 }), copy => copy.fill(0xff, 71))
    const recompressed = await on.topic('recompressed', { configs: { 'compression.type': 'lz4' } })
    await closes(on, 'broken gzip to a topic of another type', v, recompressed, broken)
  }),

  scenario('produce/compacted topic', Produce, async (on, v) => {
    const topic = await on.topic('t', { configs: { 'cleanup.policy': 'compact' } })
    const keys = (...of: (string | null)[]) =>
      batch([], { records: of.map(key => ({ key: key === null ? null : utf8(key), value: utf8('v'), timestamp: T0 })) })
    await produce(on, 'a key', v, topic, keys('a'))
    await produce(on, 'a tombstone', v, topic, batch([null]))
    await produce(on, 'no key', v, topic, keys(null))
    await produce(on, 'the second and fourth without', v, topic, keys('a', null, 'b', null))
    await produce(
      on,
      'no key, compressed',
      v,
      topic,
      batch([], { codec: 1, records: [{ key: null, value: utf8('v'), timestamp: T0 }] }),
    )
  }),

  scenario('produce/min.insync.replicas', Produce, async (on, v) => {
    const topic = await on.topic('t', { configs: { 'min.insync.replicas': '2' } })
    await produce(on, 'acks=all, too few replicas', v, topic, batch(['a']))
    await produce(on, 'acks=1 does not care', v, topic, batch(['b']), { acks: 1 })
  }),
]

/** Requests that may be answered or may close the connection: which of both is compared too. */
async function closes(on: Case, label: string, v: number, topic: Topic, bytes: Buffer, partition = 0): Promise<void> {
  await on.attempt(label, Produce, v, produceTo(v, topic, bytes, { partition }))
}

async function internalTopic(on: Case, v: number): Promise<void> {
  const offsets = await on.lookUp('__consumer_offsets')
  await produce(on, 'an internal topic', v, offsets, batch(['a']))
}
