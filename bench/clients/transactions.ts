// Transactions from Kafka's own Java client, many producers in one virtual machine; compiled when its source has changed.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { jars } from '../../compat/oracle/kafka.ts'
import { KAFKA } from '../brokers.ts'
import { runProgram } from '../measure.ts'
import { cache, missing, once, step } from './cache.ts'

export const TRANSACTIONS = 'bench/clients/Transactions.java'
const source = join(dirname(fileURLToPath(import.meta.url)), 'Transactions.java')

function classes(): string {
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12)
  return join(cache(), `bench-transactions-${hash}`)
}

/** Null where the program is there or was built now, else why not. */
export const whyNoTransactions = once(() => {
  const gone = missing(['java', 'javac', 'mvn'])
  if (gone !== null) return gone
  if (existsSync(classes())) return null
  const working = `${classes()}.${process.pid}`
  mkdirSync(working, { recursive: true })
  step('javac', ['-nowarn', '-d', working, '-cp', jars(KAFKA), source], dirname(source))
  renameSync(working, classes())
  return null
})

export interface TransactionRun {
  /** Committed, warm-up included. */
  readonly total: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of the whole program. */
  readonly cpuS: number
  /** While it measured. */
  readonly busyCores: number
}

export async function commitTransactions(
  address: string,
  topic: string,
  o: { producers: number; bytes: number; warmMs: number; runMs: number },
): Promise<TransactionRun> {
  const args = [address, topic, ...[o.producers, o.bytes, o.warmMs, o.runMs].map(String)]
  const jvm = ['-Xmx512m', '-cp', `${classes()}:${jars(KAFKA)}`, 'Transactions']
  const { stdout, cpuS } = await runProgram('java', [...jvm, ...args])
  const line = stdout.split('\n').find(text => text.startsWith('{')) ?? ''
  const told = JSON.parse(line) as { total: number; counted: number; p50: number; p99: number; cpu: number }
  return {
    total: told.total,
    perSecond: told.counted / (o.runMs / 1000),
    p50Ms: told.p50 / 1000,
    p99Ms: told.p99 / 1000,
    cpuS,
    busyCores: told.cpu / o.runMs,
  }
}
