// Kafka Connect on our broker: lines of a file into a topic and out of it into another file, by standalone and distributed
// workers, whose configuration, offsets and status live in compacted topics, through restarts and kill -9.
// `npm run compat -- connect`
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { eventually, range, Suite, type Context } from '../harness/index.ts'
import { readCommitted } from '../transactions/reader.ts'
import { Worker, type Properties } from './worker.ts'

const LINES = 200

/** A file to read lines from, one to write them to, a topic between them. */
class Pipe {
  readonly topic: string
  readonly folder: string
  readonly #source: string
  readonly #sink: string
  readonly #context: Context
  #lines = 0

  constructor(context: Context) {
    this.#context = context
    this.topic = context.name('lines')
    this.folder = mkdtempSync(join(tmpdir(), 'odradek-connect-'))
    context.after(() => rmSync(this.folder, { recursive: true, force: true }))
    this.#source = join(this.folder, 'source.txt')
    this.#sink = join(this.folder, 'sink.txt')
    writeFileSync(this.#source, '')
  }

  get source(): Properties {
    const file = 'org.apache.kafka.connect.file.FileStreamSourceConnector'
    return { 'connector.class': file, 'tasks.max': 1, file: this.#source, topic: this.topic }
  }

  get sink(): Properties {
    const file = 'org.apache.kafka.connect.file.FileStreamSinkConnector'
    return { 'connector.class': file, 'tasks.max': 1, file: this.#sink, topics: this.topic }
  }

  write(count = LINES): void {
    const lines = range(this.#lines, this.#lines + count).map(n => `line ${n}\n`)
    this.#lines += count
    appendFileSync(this.#source, lines.join(''))
  }

  get written(): string[] {
    return range(0, this.#lines).map(n => `line ${n}`)
  }

  async inTopic(): Promise<string[]> {
    return (await readCommitted(this.#context.broker.bootstrap, this.topic, 1)).map(({ value }) => value)
  }

  inSink(): string[] {
    return existsSync(this.#sink) ? readFileSync(this.#sink, 'utf8').trimEnd().split('\n') : []
  }

  /** Waits until every line has arrived at least once. */
  async arrived(workers: readonly Worker[]): Promise<void> {
    const all = (): boolean => {
      const seen = new Set(this.inSink())
      return this.written.every(line => seen.has(line))
    }
    await eventually(`${this.#lines} lines`, all, { ms: 60_000, everyMs: 100 }).catch(async (error: unknown) => {
      const output = workers.flatMap(({ output: lines }) =>
        lines.filter(line => /WARN|ERROR|Exception/.test(line)).slice(-15),
      )
      const counts = `${(await this.inTopic()).length} in the topic, ${new Set(this.inSink()).size} in the file`
      throw new Error(`${String(error)}; ${counts}\n${output.join('\n')}`)
    })
  }
}

function expectSame(what: string, found: readonly string[], expected: readonly string[]): void {
  const at = expected.findIndex((line, n) => found[n] !== line)
  if (found.length !== expected.length || at >= 0) {
    throw new Error(`${what}: ${found.length} lines for ${expected.length}; first difference at ${at}: ${found[at]}`)
  }
}

const kept = (context: Context, worker: Worker): Worker => {
  context.after(() => worker.kill9())
  return worker
}

async function createTopic(context: Context, topic: string): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: [context.broker.bootstrap], logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
  await admin.disconnect()
}

/** Workers of one group: their three topics are compacted, and made by the first of them. */
function distributed(context: Context, own: Properties = {}): () => Promise<Worker> {
  const folder = mkdtempSync(join(tmpdir(), 'odradek-connect-worker-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const [group, config, offset, status] = ['group', 'configs', 'offsets', 'status'].map(hint => context.name(hint))
  const properties: Properties = {
    'bootstrap.servers': context.broker.bootstrap,
    'group.id': group!,
    'config.storage.topic': config!,
    'offset.storage.topic': offset!,
    'status.storage.topic': status!,
    'config.storage.replication.factor': 1,
    'offset.storage.replication.factor': 1,
    'offset.storage.partitions': 5,
    'status.storage.replication.factor': 1,
    'session.timeout.ms': 6000,
    'heartbeat.interval.ms': 1000,
    'scheduled.rebalance.max.delay.ms': 0,
    ...own,
  }
  return async () => kept(context, await Worker.start(folder, properties))
}

async function install(worker: Worker, pipe: Pipe, own: Properties = {}): Promise<void> {
  await worker.request('PUT', '/connectors/source/config', { ...pipe.source, ...own })
  await worker.request('PUT', '/connectors/sink/config', pipe.sink)
  const both = async (): Promise<boolean> => (await worker.runs('source')) && worker.runs('sink')
  await eventually('both connectors run', both, { ms: 30_000, everyMs: 100 })
}

const suite = new Suite()
const options = { own: { 'group.initial.rebalance.delay.ms': 0 }, timeoutMs: 240_000 }

suite.scenario(
  'standalone: a restart of the worker and of the broker, and no line comes twice',
  async context => {
    const pipe = new Pipe(context)
    await createTopic(context, pipe.topic)
    const properties: Properties = {
      'bootstrap.servers': context.broker.bootstrap,
      'offset.storage.file.filename': join(pipe.folder, 'offsets'),
    }
    const connectors = [
      { name: 'source', ...pipe.source },
      { name: 'sink', ...pipe.sink },
    ]
    const start = async () => kept(context, await Worker.start(pipe.folder, properties, connectors))
    pipe.write()
    const first = await start()
    await pipe.arrived([first])
    await context.broker.restart()
    pipe.write()
    await pipe.arrived([first])
    await first.stop()
    pipe.write()
    const second = await start()
    await pipe.arrived([second])
    await second.stop()
    expectSame('the topic', await pipe.inTopic(), pipe.written)
    expectSame('the file', pipe.inSink(), pipe.written)
  },
  options,
)

suite.scenario(
  'distributed: two workers, kill -9 of one and of the broker, offsets kept through a restart of all',
  async context => {
    const pipe = new Pipe(context)
    const start = distributed(context)
    const first = await start()
    pipe.write()
    await install(first, pipe)
    await pipe.arrived([first])
    const second = await start()
    pipe.write()
    await pipe.arrived([first, second])
    await first.kill9()
    pipe.write()
    await pipe.arrived([second])
    await context.broker.kill9()
    await context.broker.start()
    pipe.write()
    await pipe.arrived([second])
    await second.stop()
    const before = (await pipe.inTopic()).length
    // Connectors and offsets are in the topics alone: nothing is configured again, and no line is read again.
    const third = await start()
    pipe.write()
    await pipe.arrived([third])
    await third.stop()
    const after = await pipe.inTopic()
    expectSame('lines of the last worker', after.slice(before), pipe.written.slice(-LINES))
    console.log(`     ${pipe.written.length} lines, ${after.length} records`)
  },
  options,
)

suite.scenario(
  'distributed, exactly-once source: kill -9 of the worker and of the broker at work, and every line is in the topic once',
  async context => {
    const pipe = new Pipe(context)
    // A worker that was killed may leave a transaction open on the topic of offsets, which the next one reads to its stable
    // end before it fences anybody: it waits until that transaction has timed out.
    const start = distributed(context, {
      'exactly.once.source.support': 'enabled',
      'producer.transaction.timeout.ms': 10_000,
    })
    let worker = await start()
    await install(worker, pipe, { 'exactly.once.support': 'required', 'transaction.boundary': 'poll' })
    for (const kill of ['worker', 'broker', 'worker'] as const) {
      const before = pipe.written.length
      // More than one poll of the source takes.
      pipe.write(4000)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await eventually('a new line', async () => (await pipe.inTopic()).length > before, { ms: 30_000 })
      if (kill === 'worker') {
        // oxlint-disable-next-line no-await-in-loop
        await worker.kill9()
        // oxlint-disable-next-line no-await-in-loop
        worker = await start()
      } else {
        // oxlint-disable-next-line no-await-in-loop
        await context.broker.kill9()
        // oxlint-disable-next-line no-await-in-loop
        await context.broker.start()
      }
      // oxlint-disable-next-line no-await-in-loop
      await pipe.arrived([worker])
    }
    await worker.stop()
    expectSame('the topic', await pipe.inTopic(), pipe.written)
    console.log(`     ${pipe.written.length} lines, each once`)
  },
  options,
)

await suite.run()
