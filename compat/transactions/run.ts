// Exactly once with stock clients: consume, transform, produce in transactions, one in four of them aborted, while workers
// and the broker are killed with -9. A read_committed consumer then finds every input once, and nothing that was aborted.
// `npm run compat -- transactions`, or `npx tsx compat/transactions/run.ts [part of a client's name…]`
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import kafkajs from 'kafkajs'
import { eventually, Suite, type Context } from '../harness/index.ts'
import { clients, type TransactionalClient } from './clients.ts'
import { fencing } from './fencing.ts'
import { readCommitted } from './reader.ts'

const INPUTS = 3000
const PARTITIONS = 4
const WORKERS = 2

interface Counts {
  committed: number
  aborted: number
  retried: number
  ended: number
}

/** Workers that are started again whenever they end, under the same transactional id. */
class Workers {
  readonly counts: Counts = { committed: 0, aborted: 0, retried: 0, ended: 0 }
  readonly #running = new Map<number, ChildProcess>()
  readonly #client: TransactionalClient
  readonly #args: (n: number) => string[]
  #stopped = false
  errors = ''

  constructor(client: TransactionalClient, args: (n: number) => string[]) {
    this.#client = client
    this.#args = args
  }

  start(n: number): void {
    if (this.#stopped) return
    const child = this.#client.start(this.#args(n))
    this.#running.set(n, child)
    if (child.stdout) createInterface({ input: child.stdout }).on('line', line => this.#count(line))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors = (this.errors + text).slice(-2000)
    })
    child.on('exit', () => {
      if (this.#running.get(n) !== child) return
      this.counts.ended++
      setTimeout(() => this.start(n), 200)
    })
  }

  kill9(n: number): void {
    this.#running.get(n)?.kill('SIGKILL')
  }

  /** A second worker with the same transactional id, while the first one is at work: that one becomes a zombie. */
  replace(n: number): void {
    const zombie = this.#running.get(n)
    this.#running.delete(n)
    this.start(n)
    setTimeout(() => zombie?.kill('SIGKILL'), 8000)
  }

  stop(): void {
    this.#stopped = true
    for (const child of this.#running.values()) child.kill('SIGKILL')
  }

  #count(line: string): void {
    const [what, count] = line.split(' ')
    if (what === 'commit') this.counts.committed += Number(count)
    if (what === 'abort') this.counts.aborted += Number(count)
    if (what === 'retry') this.counts.retried++
    if (what === 'retry' || what === 'end') this.errors = `${this.errors}${line}\n`.slice(-2000)
  }
}

const kafkaOf = ({ broker }: Context) =>
  new kafkajs.Kafka({
    brokers: [broker.bootstrap],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 30 },
  })

async function exactlyOnce(client: TransactionalClient, context: Context): Promise<void> {
  await client.install()
  const { broker } = context
  const [source, target, group] = [context.name('in'), context.name('out'), context.name('group')]
  const admin = kafkaOf(context).admin()
  await admin.connect()
  await admin.createTopics({ topics: [source, target].map(topic => ({ topic, numPartitions: PARTITIONS })) })
  await admin.disconnect()
  const inputs = Array.from({ length: INPUTS }, (_, n) => `input ${n}`)
  const producer = kafkaOf(context).producer()
  await producer.connect()
  for (let n = 0; n < INPUTS; n += 250) {
    const messages = inputs.slice(n, n + 250).map(value => ({ key: value, value }))
    // oxlint-disable-next-line no-await-in-loop -- one batch after the other
    await producer.send({ topic: source, messages })
  }
  await producer.disconnect()

  const workers = new Workers(client, n => [broker.bootstrap, `${group}-${n}`, group, source, target])
  context.after(() => workers.stop())
  for (let n = 0; n < WORKERS; n++) workers.start(n)
  const reached = (part: number) => () => workers.counts.committed >= INPUTS * part
  const wait = (part: number) =>
    eventually(`${part * 100} % committed`, reached(part), { ms: 60_000 }).catch((error: unknown) => {
      throw new Error(`${String(error)} ${JSON.stringify(workers.counts)} ${workers.errors}`)
    })
  await wait(0.1)
  workers.kill9(0)
  await wait(0.25)
  await broker.kill9()
  await broker.start()
  await wait(0.45)
  workers.replace(1)
  await wait(0.6)
  await broker.kill9()
  await broker.start()
  const read = async (): Promise<string[]> =>
    (await readCommitted(broker.bootstrap, target, PARTITIONS)).map(({ value }) => value)
  const isComplete = async (): Promise<boolean> => new Set(await read()).size >= INPUTS
  await eventually('every input in the output', isComplete, { ms: 90_000, everyMs: 500 }).catch((error: unknown) => {
    throw new Error(`${String(error)} ${JSON.stringify(workers.counts)} ${workers.errors}`)
  })
  // Whatever would come too much comes now.
  await new Promise(resolve => setTimeout(resolve, 3000))
  workers.stop()
  const seen = await read()
  const duplicates = seen.length - new Set(seen).size
  const aborted = seen.filter(value => value.endsWith('aborted')).length
  const lost = inputs.filter(value => !seen.includes(value)).length
  const { counts } = workers
  console.log(
    `     ${client.name}: input ${INPUTS}, output ${seen.length}, duplicates ${duplicates}, lost ${lost}, ` +
      `aborted seen ${aborted}; aborted on purpose ${counts.aborted}, retried ${counts.retried}, workers ended ${counts.ended}`,
  )
  if (duplicates + lost + aborted > 0) throw new Error('not exactly once')
}

const suite = new Suite()
for (const client of clients) {
  suite.scenario(`${client.name}: exactly once through kill -9`, context => exactlyOnce(client, context), {
    own: { 'group.initial.rebalance.delay.ms': 0 },
    timeoutMs: 240_000,
  })
  if (client.fence === null) continue
  suite.scenario(`${client.name}: zombies and transactions that take too long`, context => fencing(client, context), {
    own: { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': 100 },
    timeoutMs: 60_000,
  })
}
await suite.run()
