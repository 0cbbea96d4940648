// `odradek dump`, `verify` and `repair` on a disk: what they print, how they end, and a broker on what was mended.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeControlBatch } from '../../../../protocol/records/control.ts'
import { createBroker } from '../../../../src/index.ts'
import { run as dump } from '../../../../src/cli/commands/dump.ts'
import { run as repair } from '../../../../src/cli/commands/repair.ts'
import { run as verify } from '../../../../src/cli/commands/verify.ts'
import { ConfigError } from '../../../../src/config/index.ts'
import { diskFiles } from '../../../../storage/files-disk.ts'
import { call, writeKafkaData } from './command.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'odradek-inspect-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const json = (lines: readonly string[]) => lines.map(line => JSON.parse(line) as Record<string, unknown>)

/** A directory of Apache Kafka on the disk, the metadata log left out where it is not needed. */
function kafkaData(...folders: string[]): string {
  const data = join(folder, 'data')
  writeKafkaData(data, name => folders.includes(name))
  return data
}

function change(path: string, at: number): void {
  const data = readFileSync(path)
  data[at]! ^= 1
  writeFileSync(path, data)
}

describe('dump', () => {
  test('logs, indexes and snapshots in the lines of Kafka, given as Kafka has it', async () => {
    const data = kafkaData('plain-1', 'segments-0')
    const log = join(data, 'plain-1/00000000000000000000.log')
    const index = join(data, 'segments-0/00000000000000001100.index')
    const { lines, err, exits } = await call(dump, ['--files', `${log},${index}`, '--print-data-log'])
    expect(lines.slice(0, 2)).toEqual([`Dumping ${log}`, 'Log starting offset: 0'])
    expect(lines[2]).toMatch(/^baseOffset: 0 lastOffset: \d+ count: /)
    expect(lines[3]).toMatch(/^\| offset: 0 CreateTime: 1700000000\d+ .* payload: /)
    expect(lines).toContain(`Dumping ${index}`)
    expect(lines.at(-1)).toMatch(/^offset: \d+ position: \d+$/)
    expect([err, exits]).toEqual(['', []])
  })

  test('without a flag batches alone; with --deep-iteration records without contents', async () => {
    const log = join(kafkaData('plain-1'), 'plain-1/00000000000000000000.log')
    expect((await call(dump, [log])).out).not.toContain('| offset')
    const { out } = await call(dump, [log, '--deep-iteration'])
    expect(out).toContain('| offset: 0 ')
    expect(out).not.toContain('payload')
  })

  test('--json: one object a line, whole folders, decoded by the name of the topic', async () => {
    const data = kafkaData(
      '__consumer_offsets-0',
      '__consumer_offsets-1',
      '__consumer_offsets-2',
      '__consumer_offsets-3',
    )
    const { lines } = await call(dump, [data, '--json', '--decode'])
    const objects = json(lines)
    expect(new Set(objects.map(({ type }) => type))).toEqual(
      new Set([
        'log',
        'batch',
        'record',
        'producer',
        'leader epoch',
        'partition',
        'directory',
        'checkpoint',
        'clean shutdown',
        'bootstrap snapshot',
        'time index entry',
        'note',
      ]),
    )
    const decoded = objects.flatMap(({ decodedKey }) => (decodedKey === undefined ? [] : [JSON.stringify(decodedKey)]))
    expect(decoded.some(key => key.includes('"group":"group-a"'))).toBe(true)
  })

  test('what does not agree stands on standard error, as Kafka has it', async () => {
    const index = join(kafkaData('segments-0'), 'segments-0/00000000000000001100.index')
    change(index, 3)
    const { err, exits } = await call(dump, [index, '--verify-index-only'])
    expect(err).toBe(`Mismatches in :${index}\n  Index offset: 1198, log offset: 1199\n`)
    expect(exits).toEqual([])
  })

  test('bytes that cannot be read are said, and what follows is printed', async () => {
    const data = kafkaData('plain-1')
    const snapshot = join(
      data,
      'plain-1',
      readdirSync(join(data, 'plain-1')).find(name => name.endsWith('.snapshot'))!,
    )
    change(snapshot, 3)
    const { err, lines, exits } = await call(dump, [snapshot, join(data, 'meta.properties'), join(data, 'gone.log')])
    expect(err).toBe(`${snapshot}: wrong CRC\n${join(data, 'gone.log')}: there is no such file\n`)
    expect(lines).toContain('nodeId: 1')
    expect(exits).toEqual([1])
  })

  test('control records with too few bytes are said, and the next batch is printed', async () => {
    const log = join(folder, '00000000000000000000.log')
    const control = encodeControlBatch([{ type: 3, value: Buffer.from([0]) }], { baseOffset: 0 })
    const none = encodeControlBatch([{ type: 2, value: Buffer.alloc(0) }], { baseOffset: 1 })
    writeFileSync(log, Buffer.concat([control, none, encodeControlBatch([], { baseOffset: 2 })]))
    const { err, out, exits } = await call(dump, [log, '--deep-iteration'])
    expect(err.split('\n').slice(0, -1)).toEqual([
      expect.stringContaining(`${log}: batch at 0: `),
      expect.stringContaining(`${log}: batch at ${control.byteLength}: `),
    ])
    expect(out).toContain('baseOffset: 2 ')
    expect(exits).toEqual([1])
  })

  test('what was told before something goes wrong is printed', async () => {
    const data = kafkaData('plain-1')
    const seen = { out: '' }
    const io = {
      out: (text: string) => void (seen.out += text),
      err: () => {
        throw new Error('nobody listens')
      },
      drained: () => Promise.resolve(),
      exit: () => undefined,
      errTerminal: false,
      now: () => 0,
    }
    await expect(dump([join(data, 'meta.properties'), join(data, 'gone.log')], io)).rejects.toThrow('nobody listens')
    expect(seen.out).toContain('nodeId: 1')
  })

  test('flags that do not exist, and no files', async () => {
    await expect(call(dump, ['--nonsense', 'x'])).rejects.toThrow(ConfigError)
    await expect(call(dump, [])).rejects.toThrow('Name the files to print')
    await expect(call(dump, ['x.log', '--max-bytes', 'many'])).rejects.toThrow('--max-bytes must be a number')
  })
})

describe('verify', () => {
  test('a directory that is right', async () => {
    const data = kafkaData('plain-1', 'segments-0', 'compacted-0')
    const { lines, exits } = await call(verify, [data])
    expect(lines).toEqual([expect.stringMatching(/3 partitions, \d+ segments, \d+ batches .*: nothing is wrong$/)])
    expect(exits).toEqual([])
  })

  test('each fault with its file and position, and exit code 1; the same as JSON', async () => {
    const data = kafkaData('plain-1', 'segments-0')
    change(join(data, 'segments-0/00000000000000001100.log'), 50_000)
    writeFileSync(join(data, 'recovery-point-offset-checkpoint'), '0\n1\nplain 1 400000\n')
    const { lines, exits } = await call(verify, [data])
    expect(lines.slice(0, -1)).toEqual([
      expect.stringMatching(/^recovery-point-offset-checkpoint: it says 400000 of plain-1, but the log ends at \d+$/),
      'segments-0/00000000000000001100.log at 45701: 45701 bytes are no batch that can be trusted: its checksum is wrong',
      'note: segments-0/00000000000000001100.log at 91402: offsets 1150 to 1199 are lost with the bytes before it',
    ])
    expect(lines.at(-1)).toMatch(/: 2 faults, 1 note$/)
    expect(exits).toEqual([1])
    const objects = json((await call(verify, [data, '--json'])).lines)
    expect(objects.filter(({ type }) => type === 'fault')).toHaveLength(2)
    expect(objects.at(-1)).toMatchObject({ type: 'summary', faults: 2, partitions: 2, cleanShutdown: true })
  })

  test('a partition, a file, and dump --verify', async () => {
    const data = kafkaData('segments-0', 'plain-1')
    change(join(data, 'segments-0/00000000000000001100.timeindex'), 11)
    expect((await call(verify, [join(data, 'plain-1')])).exits).toEqual([])
    expect((await call(verify, [join(data, 'segments-0')])).exits).toEqual([1])
    expect((await call(verify, [join(data, 'segments-0/00000000000000001100.timeindex')])).exits).toEqual([1])
    expect((await call(verify, [join(data, 'segments-0/00000000000000001100.log')])).exits).toEqual([])
    expect((await call(dump, ['--verify', data])).exits).toEqual([1])
  })

  test('progress on a terminal', async () => {
    const { err } = await call(verify, [kafkaData('plain-1', 'segments-0')], true)
    expect(err).toMatch(/\d+%: 1 of 2 partitions, [\d.]+ MiB of [\d.]+ MiB/)
  })

  test('what is no data directory', async () => {
    await expect(call(verify, [folder])).rejects.toThrow('is no data directory')
    await expect(call(verify, [join(folder, 'gone')])).rejects.toThrow('There is no')
  })

  test('a directory in use is said to be so', async () => {
    const data = kafkaData('plain-1')
    const unlock = diskFiles(data).lock('.lock')
    const { err } = await call(verify, [data])
    unlock()
    expect(err).toContain(`in use by the running process ${process.pid}`)
  })
})

describe('repair', () => {
  const values = async (data: string): Promise<Set<string>> => {
    const broker = createBroker({ dataDir: data })
    await broker.listen()
    const kafka = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING })
    const consumer = kafka.consumer({ groupId: 'reader' })
    const high = (await offsets(kafka))[0]!.high
    await consumer.connect()
    await consumer.subscribe({ topics: ['kept'], fromBeginning: true })
    const found = new Set<string>()
    await new Promise<void>(resolve => {
      void consumer.run({
        eachMessage: ({ message }) => {
          found.add(message.value!.toString())
          if (Number(message.offset) === Number(high) - 1) resolve()
          return Promise.resolve()
        },
      })
    })
    await consumer.disconnect()
    await broker.close()
    return found
  }

  async function offsets(kafka: Kafka) {
    const admin = kafka.admin()
    await admin.connect()
    const found = await admin.fetchTopicOffsets('kept')
    await admin.disconnect()
    return found
  }

  async function write(data: string): Promise<void> {
    const broker = createBroker({ dataDir: data, config: { 'offsets.topic.num.partitions': 1 } })
    await broker.listen()
    const producer = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING }).producer()
    await producer.connect()
    for (let batch = 0; batch < 10; batch++) {
      const messages = Array.from({ length: 5 }, (_, n) => ({ value: `value ${batch * 5 + n}` }))
      await producer.send({ topic: 'kept', messages })
    }
    await producer.disconnect()
    await broker.close()
  }

  test('says first, does it with --yes, and a broker serves what is left', async () => {
    const data = join(folder, 'data')
    await write(data)
    const log = join(data, 'kept-0/00000000000000000000.log')
    const size = readFileSync(log).byteLength
    // Batches are of one size: the fourth holds values 15 to 19.
    change(log, Math.floor((3.5 * size) / 10))
    const before = readFileSync(log)
    const plan = await call(repair, [data])
    expect(plan.out).toContain('the records of offsets 15 to 19 are lost')
    expect(plan.lines.at(-1)).toContain('Nothing was written. odradek repair --yes')
    expect(plan.exits).toEqual([1])
    expect(readFileSync(log)).toEqual(before)
    const { lines, exits } = await call(repair, [data, '--yes'])
    expect(lines.at(-1)).toBe('Nothing is wrong.')
    expect(exits).toEqual([])
    const aside = readdirSync(folder).find(name => name.startsWith('data.repair-'))!
    expect(JSON.parse(readFileSync(join(folder, aside, 'manifest.json'), 'utf8'))).toMatchObject({
      done: true,
      directory: data,
    })
    expect((await call(verify, [data])).exits).toEqual([])
    const left = await values(data)
    expect(left.size).toBe(45)
    expect(['value 14', 'value 15', 'value 19', 'value 20'].map(value => left.has(value))).toEqual([
      true,
      false,
      false,
      true,
    ])
  })

  test('a directory in use is refused, and one that is right left alone', async () => {
    const data = kafkaData('plain-1')
    const { lines, exits } = await call(repair, ['--yes', data])
    expect([lines, exits]).toEqual([['Nothing is wrong.'], []])
    expect(readdirSync(folder)).toEqual(['data'])
    const unlock = diskFiles(data).lock('.lock')
    await expect(call(repair, ['--yes', data])).rejects.toThrow('stop it first')
    unlock()
  })

  test('what went must not lie in the directory itself, nor among other files', async () => {
    const data = kafkaData('plain-1')
    change(join(data, 'plain-1/00000000000000000000.log'), 100)
    await expect(call(repair, ['--yes', '--aside', join(data, 'aside'), data])).rejects.toThrow(
      'lies in the data directory',
    )
    await expect(call(repair, ['--yes', '--aside', join(data, 'plain-1'), data])).rejects.toThrow('is not empty')
  })
})
