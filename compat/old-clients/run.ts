// Clients of Kafka 0.8 to 2.x: each produces with every codec, shares a topic with a client of today (KafkaJS speaking
// magic 2) in both directions, and comes back to its group. Then KafkaJS itself under lowered ceilings.
// `npm run compat -- old-clients`, or `npx tsx compat/old-clients/run.ts [part of a scenario's name…]`
import { deepStrictEqual } from 'node:assert'
import type { CompressionTypes as Codec } from 'kafkajs'
import { Suite, type Context } from '../harness/index.ts'
import { plugInCodecs } from '../kafkajs/codecs.ts'
import { collect, CompressionTypes, producer, topic, type Seen } from '../kafkajs/client.ts'
import { ALL_CODECS, type OldClient } from './client.ts'
import { java } from './java.ts'
import { kcat } from './kcat.ts'
import { kafkaPython } from './python.ts'
import { expectLines, PER_CODEC, recordsOf, type Plain } from './records.ts'
import { sarama } from './sarama.ts'

const clients: readonly OldClient[] = [
  java('0.8.2.2', false),
  kcat('0.8.2'),
  kafkaPython('0.8.2'),
  sarama('default', false, false),
  java('0.9.0.1'),
  kafkaPython('0.9'),
  java('0.10.0.1'),
  kcat('0.10.0'),
  sarama('0.10.0', true, false),
  kafkaPython('0.10'),
  java('0.10.2.2'),
  sarama('0.10.2'),
  java('0.11.0.3'),
  sarama('0.11.0'),
  kafkaPython('0.11'),
  java('2.0.1'),
  sarama('2.0.0'),
  java('2.8.2'),
]

/** What KafkaJS is held to: message sets of magic 0, then of magic 1; ListOffsets, JoinGroup and others at their oldest. */
const ceilings = ['0:0,1:0,2:0', '0:1,1:1,2:0,8:1,9:1,10:0,11:0,12:0,13:0,14:0', '0:2,1:2', '0:2,1:3']

const types: Record<string, Codec> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
}

async function produceToday(
  context: Context,
  name: string,
  label: string,
  codecs = ALL_CODECS,
  headers = true,
): Promise<Plain[]> {
  const client = await producer(context)
  for (const codec of codecs) {
    const messages = recordsOf(label, [codec]).map(({ key, value }) => ({
      key,
      value,
      partition: 0,
      ...(headers && { headers: { today: 'yes' } }),
    }))
    // oxlint-disable-next-line no-await-in-loop -- the order is part of what is expected
    await client.send({ topic: name, messages, compression: types[codec]! })
  }
  return recordsOf(label, codecs)
}

const plain = ({ key, value }: Seen): Plain => ({ key: key && String(key), value: value && String(value) })

async function expectToday(context: Context, name: string, expected: readonly Plain[]): Promise<void> {
  const collector = await collect(context, [name])
  const seen = await collector.count(expected.length)
  deepStrictEqual(seen.map(plain), expected)
  deepStrictEqual(
    seen.map(({ offset }) => Number(offset)),
    expected.map((_, i) => i),
  )
}

async function mix(context: Context, client: OldClient): Promise<void> {
  const { bootstrap } = context.broker
  const name = await topic(context, 'mixed')
  const group = context.name('old-group')
  await client.produce(bootstrap, name, 'old', client.codecs)
  const expected = [...recordsOf('old', client.codecs), ...(await produceToday(context, name, 'new', client.codecs))]
  await expectToday(context, name, expected)
  if (client.consume === null) return
  expectLines(await client.consume(bootstrap, name, group, expected.length), expected)
  if (!client.groups) return
  await client.produce(bootstrap, name, 'later', ['gzip'])
  const later = await client.consume(bootstrap, name, group, PER_CODEC)
  expectLines(later, recordsOf('later', ['gzip']), expected.length)
}

await plugInCodecs()
const suite = new Suite()
const missing = new Map<OldClient, string>()
for (const client of clients) {
  // oxlint-disable-next-line no-await-in-loop -- one download at a time
  await client.install().catch((error: Error) => missing.set(client, error.message.trim().replaceAll(/\s+/g, ' ')))
}
for (const client of clients) {
  const reason = missing.get(client)
  if (reason !== undefined) suite.skip(client.name, reason.slice(0, 300))
  else suite.scenario(client.name, context => mix(context, client), { timeoutMs: 60_000 })
}
for (const versions of ceilings) {
  suite.scenario(
    `KafkaJS under ${versions}`,
    async context => {
      const name = await topic(context, 'lowered')
      await expectToday(context, name, await produceToday(context, name, 'lowered', ALL_CODECS, false))
    },
    { own: { 'odradek.test.max.versions': versions }, timeoutMs: 60_000 },
  )
}
await suite.run()
