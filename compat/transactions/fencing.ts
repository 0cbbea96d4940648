// Whom the broker fences: a zombie, whose transactional id another producer took over, and a producer whose transaction took
// longer than its time-out. Neither commits, and nothing that they wrote is read as committed.
import { ok, deepEqual } from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import kafkajs from 'kafkajs'
import type { Context } from '../harness/index.ts'
import type { TransactionalClient } from './clients.ts'
import { readCommitted } from './reader.ts'

const TIMEOUT_MS = 1000

/** PRODUCER_FENCED, INVALID_PRODUCER_EPOCH or INVALID_TXN_STATE, in the spelling of each client. */
const FENCED = /fenced|epoch|invalid_?txn_?state/i

export async function fencing(client: TransactionalClient, context: Context): Promise<void> {
  await client.install()
  ok(client.fence !== null)
  const { bootstrap } = context.broker
  const topic = context.name('fenced')
  const admin = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
  await admin.disconnect()
  const child = client.fence([bootstrap, context.name('id'), topic, String(TIMEOUT_MS)])
  context.after(() => child.kill('SIGKILL'))
  const output = await outputOf(child)
  const found = Object.fromEntries(
    output
      .trim()
      .split('\n')
      .map(line => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
  )
  console.log(`     ${client.name}: zombie ${found['zombie']}, late ${found['late']}`)
  for (const who of ['zombie', 'late']) ok(FENCED.test(found[who] ?? ''), `${who}: ${output}`)
  deepEqual(
    (await readCommitted(bootstrap, topic, 1)).map(({ value }) => value),
    ['of the heir'],
  )
}

function outputOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = ''
    let errors = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text))
    child.once('error', reject)
    child.once('close', code => {
      if (code === 0) resolve(output)
      else reject(new Error(`exit code ${code}: ${output}${errors.slice(-1500)}`))
    })
  })
}
