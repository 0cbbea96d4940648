// The broker goes away under a running producer and consumer and comes back: an idempotent producer's records stand in
// the log once and in order, and a group goes on reading.
import { deepEqual, equal } from 'node:assert/strict'
import { eventually, range, type BrokerUnderTest, type Context, type Suite } from '../harness/index.ts'
import { lines, parse, read, start, topic } from './kcat.ts'

const QUICK = ['-X', 'reconnect.backoff.ms=50', '-X', 'reconnect.backoff.max.ms=200', '-X', 'retry.backoff.ms=50']

async function throughRestarts(context: Context, interrupt: (broker: BrokerUnderTest) => Promise<void>): Promise<void> {
  const { broker } = context
  const name = await topic(context, 'running')
  const reader = start(context, [
    '-G',
    context.name('running'),
    '-J',
    '-u',
    '-E',
    '-X',
    'auto.offset.reset=earliest',
    ...QUICK,
    name,
  ])
  const idempotent = ['-X', 'enable.idempotence=true', '-X', 'linger.ms=1', '-X', 'batch.num.messages=20']
  const writer = start(context, ['-P', '-t', name, '-E', ...idempotent, ...QUICK])
  let sent = 0
  const send = (count: number): void => {
    writer.child.stdin?.write(lines(range(sent, sent + count)))
    sent += count
  }
  // kcat takes up what it read when the pipe holds no more; the last lines wait in it.
  for (const round of [1, 2, 3]) {
    const before = reader.lines().length
    send(2000)
    await eventually(`records flow (${round})`, () => reader.lines().length > before, { ms: 20_000 })
    send(2000)
    await interrupt(broker)
  }
  writer.child.stdin?.end()
  const { code, stderr } = await writer.ended
  equal(code, 0, stderr)
  deepEqual(
    (await read(context, name)).map(({ payload }) => Number(payload)),
    range(0, sent),
  )
  await eventually(
    'the consumer has seen them all',
    () => {
      const seen = new Set(parse(lines(reader.lines())).map(({ payload }) => Number(payload)))
      return seen.size === sent
    },
    { ms: 30_000 },
  )
  await reader.stop()
}

export function restartScenarios(suite: Suite): void {
  const options = { own: {}, timeoutMs: 90_000 }
  suite.scenario('orderly restarts under load', c => throughRestarts(c, broker => broker.restart()), options)
  suite.scenario(
    'kill -9 under load',
    c =>
      throughRestarts(c, async broker => {
        await broker.kill9()
        await broker.start()
      }),
    options,
  )
}
