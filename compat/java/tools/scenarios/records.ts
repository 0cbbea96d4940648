// Records in and out: the console, performance and verifiable tools, kafka-delete-records, kafka-dump-log.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Transcript } from '../transcript.ts'
import { filled, runLines, words, type ToolScenario } from './scenario.ts'

const withKeys = words('--reader-property parse.key=true --reader-property key.separator=|')
const withHeaders = words('--reader-property parse.headers=true --reader-property null.marker=NULL')
const keyed = 'k1|v1\nk2|v2\n|empty key\nk3|\n'
const headed = 'h1:a,h2:b\tk1|v1\nh1:\tk2|NULL\nNULL\tNULL|v3\n'

const printing = words(
  `--formatter-property print.key=true --formatter-property print.headers=true --formatter-property print.offset=true
   --formatter-property print.partition=true --formatter-property print.timestamp=true
   --formatter-property key.separator=; --formatter-property headers.separator=, --formatter-property null.literal=(nil)`,
)

export const console_: ToolScenario = {
  name: 'console',
  async run(on) {
    await on.quietly('kafka-topics', words('--create --topic t'))
    const produce = (stdin: string, ...args: string[]): Promise<unknown> =>
      on.run('kafka-console-producer', ['--topic', 't', ...args], { stdin, words: true })
    await produce('plain\ntext\n')
    await produce(keyed, ...withKeys)
    await produce(headed, ...withKeys, ...withHeaders)
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      // oxlint-disable-next-line no-await-in-loop -- the order is part of what is expected
      await produce(`${codec}\n`, '--compression-codec', codec)
    }
    await produce('acks 0\n', '--request-required-acks', '0')
    await produce('acks 1\n', '--request-required-acks', '1')
    await produce('in sync\n', '--sync')
    await produce(`${'x'.repeat(2_000_000)}\n`, '--command-property', 'max.request.size=5000000')
    await on.run('kafka-console-producer', words('--topic bad!name --max-block-ms 1000'), { stdin: 'x\n', words: true })
    const consume = (args: string, more: readonly string[] = []): Promise<unknown> =>
      on.run('kafka-console-consumer', [...words(`--topic t --timeout-ms 4000 ${args}`), ...more])
    await consume('--from-beginning --max-messages 17')
    await consume('--from-beginning --max-messages 17', printing)
    await consume('--partition 0 --offset 3 --max-messages 4', printing)
    await consume('--partition 0 --offset earliest --max-messages 2')
    await consume('--include t|u --from-beginning --max-messages 1')
    await consume('--group g --from-beginning --max-messages 5')
    await consume('--group g --max-messages 3')
    await consume('--isolation-level read_committed --from-beginning --max-messages 2')
    await consume('--from-beginning --max-messages 3 --enable-systest-events')
    const formatter = (name: string): string[] => ['--formatter', `org.apache.kafka.tools.consumer.${name}`]
    await consume('--from-beginning --max-messages 3', formatter('NoOpMessageFormatter'))
    await consume('--from-beginning --max-messages 3', formatter('LoggingMessageFormatter'))
    await on.run('kafka-console-consumer', words('--topic missing! --timeout-ms 500'), { words: true })
  },
}

/** Where Kafka's own records of the group `g` and the transactional id `tx` lie. */
const places = { __consumer_offsets: 1, __transaction_state: 2 }

export const internalTopics: ToolScenario = {
  name: 'internal topics',
  async run(on) {
    await filled(on, 't', 6)
    await on.quietly('kafka-console-consumer', words('--topic t --group g --from-beginning --max-messages 3'))
    await on.quietly(
      'kafka-producer-perf-test',
      words(
        '--topic t --num-records 3 --throughput -1 --record-size 9 --transactional-id tx --transaction-duration-ms 9999',
      ),
    )
    const show = (topic: keyof typeof places, formatter: string): Promise<unknown> =>
      on.run('kafka-console-consumer', [
        ...words(`--topic ${topic} --partition ${places[topic]} --offset earliest --timeout-ms 1200`),
        '--formatter',
        `org.apache.kafka.tools.consumer.${formatter}`,
      ])
    await show('__consumer_offsets', 'OffsetsMessageFormatter')
    await show('__consumer_offsets', 'GroupMetadataMessageFormatter')
    await show('__transaction_state', 'TransactionLogMessageFormatter')
  },
}

/** Figures, whatever they are. */
const figures = [[/\d[\d.,]*/g, '<n>']] as const

export const performance_: ToolScenario = {
  name: 'performance',
  async run(on) {
    await on.quietly('kafka-topics', words('--create --topic p --partitions 2'))
    const quick = { masks: figures, only: /records sent,.*99th|data\.consumed|, / }
    for (const more of [
      '',
      '--command-property acks=1',
      '--command-property compression.type=lz4',
      '--payload-monotonic',
    ]) {
      const payload = more === '--payload-monotonic' ? '' : '--record-size 100'
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await on.run(
        'kafka-producer-perf-test',
        words(`--topic p --num-records 2000 --throughput -1 ${payload} ${more}`),
        quick,
      )
    }
    await on.run(
      'kafka-producer-perf-test',
      words(
        '--topic p --num-records 1000 --throughput -1 --record-size 50 --transactional-id perf --transaction-duration-ms 100',
      ),
      quick,
    )
    // 9000 records in ordinary batches, 1000 in transactions and their markers.
    await on.run('kafka-consumer-perf-test', words('--topic p --num-records 9000 --timeout 10000'), {
      masks: [[/\d{4}-\d\d-\d\d [\d:]+/g, '<time>'], ...figures],
    })
    await on.run('kafka-e2e-latency', words('--topic e --num-records 50 --producer-acks all --record-size 64'), {
      masks: [...figures],
      only: /Percentiles|Avg/,
    })
    await on.run(
      'kafka-e2e-latency',
      words(
        '--topic e --num-records 20 --producer-acks 1 --record-size 64 --record-key-size 8 --num-headers 2 --record-header-key-size 4 --record-header-size 5',
      ),
      { masks: [...figures], only: /Percentiles|Avg/ },
    )
  },
}

const moments = [
  [/"timestamp":\d+/g, '"timestamp":<ms>'],
  [/"avg_throughput":[\d.E]+/g, '"avg_throughput":<n>'],
] as const

export const verifiable: ToolScenario = {
  name: 'verifiable',
  async run(on) {
    await on.quietly('kafka-topics', words('--create --topic v'))
    const produce = (args: string): Promise<unknown> =>
      on.run('kafka-verifiable-producer', words(`--topic v --throughput 1000 ${args}`), { masks: moments })
    await produce('--max-messages 5')
    await produce('--max-messages 5 --acks 1 --value-prefix 7 --repeating-keys 2')
    await produce('--max-messages 2 --acks 0 --message-create-time 1700000000000')
    const consume = (args: string): Promise<unknown> =>
      on.run('kafka-verifiable-consumer', words(`--topic v --session-timeout 30000 ${args}`), {
        masks: moments,
        sorted: true,
      })
    await consume('--group-id a --max-messages 12')
    await consume('--group-id b --max-messages 12 --enable-autocommit --reset-policy earliest')
    await consume('--group-id c --max-messages 12 --verbose --group-instance-id i')
    await consume(
      '--group-id d --max-messages 12 --assignment-strategy org.apache.kafka.clients.consumer.CooperativeStickyAssignor',
    )
    await on.run('kafka-consumer-groups', words('--describe --group a'))
  },
}

export const deleteRecords: ToolScenario = {
  name: 'delete-records',
  async run(on) {
    await filled(on, 't', 12, 2)
    const impatient = on.file('impatient.properties', 'default.api.timeout.ms=1500\nrequest.timeout.ms=1000\n')
    const file = (name: string, ...offsets: [string, number, number][]): string =>
      on.file(
        name,
        JSON.stringify({
          version: 1,
          partitions: offsets.map(([topic, partition, offset]) => ({ topic, partition, offset })),
        }),
      )
    const lines = [
      file('some.json', ['t', 0, 2], ['t', 1, 1]),
      file('back.json', ['t', 0, 1]),
      file('all.json', ['t', 0, -1]),
      file('beyond.json', ['t', 1, 999]),
      file('missing.json', ['missing', 0, 1], ['t', 9, 1]),
      file('twice.json', ['t', 0, 1], ['t', 0, 2]),
    ].map(path => `! --offset-json-file ${path} --command-config ${impatient}`)
    await runLines(on, 'kafka-delete-records', lines.join('\n'), { sorted: true })
    await on.run('kafka-get-offsets', words('--topic t --time earliest'))
    await on.run('kafka-console-consumer', words('--topic t --from-beginning --max-messages 3 --timeout-ms 3000'))
  },
}

/** Checksums, times, and sizes of batches, which depend on times. */
const stamps = [
  [/\b(size|position|valueSize): \d+/g, '$1: <bytes>'],
  [/crc: \d+/g, 'crc: <crc>'],
  [/(?<=[Tt]ime(?:stamp)?: )1[6-9]\d{11}/g, '<ms>'],
  [/(?<="\w*Timestamp\w*":)1[6-9]\d{11}/g, '<ms>'],
] as const

export const dumpLog: ToolScenario = {
  name: 'dump-log',
  async run(on) {
    await filled(on, 't', 8)
    for (const codec of ['gzip', 'lz4', 'zstd']) {
      // oxlint-disable-next-line no-await-in-loop -- the order is part of what is expected
      await on.quietly('kafka-console-producer', words(`--topic t --compression-codec ${codec}`), {
        stdin: 'a\nb\nc\n',
      })
    }
    await on.quietly(
      'kafka-producer-perf-test',
      words(
        '--topic t --num-records 3 --throughput -1 --record-size 9 --transactional-id tx --transaction-duration-ms 9999',
      ),
    )
    await on.quietly('kafka-console-consumer', words('--topic t --group g --from-beginning --max-messages 3'))
    const folder = join(on.dataDir, 't-0')
    const dump = (path: string, ...flags: string[]): Promise<unknown> =>
      on.run('kafka-dump-log', ['--files', path, ...flags], { alone: true, masks: stamps })
    const log = join(folder, '00000000000000000000.log')
    await dump(log)
    await dump(log, '--deep-iteration')
    await dump(log, '--print-data-log')
    await dump(log, '--print-data-log', '--skip-record-metadata')
    await internal(on, '__consumer_offsets', '--offsets-decoder')
    await internal(on, '__transaction_state', '--transaction-log-decoder')
  },
}

/** Without a producer a sequence means nothing; Apache Kafka writes 0 where -1 is usual. */
const noSequence = [[/\b(\w*[sS]equence): (?:-1|0)\b/g, '$1: <none>']] as const

/** The records of an internal topic, of whichever partitions have some. */
async function internal(on: Transcript, topic: string, decoder: string): Promise<void> {
  const files = readdirSync(on.dataDir)
    .filter(name => name.startsWith(`${topic}-`))
    .map(name => join(on.dataDir, name, '00000000000000000000.log'))
    .filter(path => statSync(path).size > 0)
    .toSorted()
  await on.run('kafka-dump-log', ['--files', files.join(), decoder, '--print-data-log'], {
    alone: true,
    masks: [...stamps, ...noSequence],
  })
}
