// Balanced consumers: members that come and go, committed offsets.
import { deepEqual, ok } from 'node:assert/strict'
import { eventually, range, type Context, type Suite } from '../harness/index.ts'
import { kcat, lines, parse, start, topic, type Running } from './kcat.ts'

const EARLIEST = [
  '-X',
  'auto.offset.reset=earliest',
  '-X',
  'session.timeout.ms=10000',
  '-X',
  'heartbeat.interval.ms=300',
]

const member = (context: Context, group: string, name: string, ...more: string[]): Running =>
  start(context, ['-G', group, '-J', '-u', ...EARLIEST, ...more, name])

/** The partitions that a member holds, as kcat says on standard error. */
function assigned(running: Running): number[] {
  let held: number[] = []
  for (const line of running.stderr().split('\n')) {
    const [, what = '', list = ''] = /rebalanced.*?(incremental \w+|assigned|revoked)(.*)$/.exec(line) ?? []
    const named = [...list.matchAll(/\[(\d+)\]/g)].map(match => Number(match[1]))
    if (what === 'assigned') held = named
    else if (what === 'revoked') held = []
    else if (what === 'incremental assignment') held = [...held, ...named]
    else if (what !== '') held = held.filter(partition => !named.includes(partition))
  }
  return held
}

async function balanced(members: Running[], partitions: number): Promise<void> {
  await eventually(
    `${members.length} members share ${partitions} partitions`,
    () => {
      const held = members.map(assigned)
      const all = held.flat().toSorted((a, b) => a - b)
      return held.every(one => one.length > 0) && JSON.stringify(all) === JSON.stringify(range(0, partitions))
    },
    { ms: 20_000 },
  ).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(members.map(assigned))}`)
  })
}

export function groupScenarios(suite: Suite): void {
  suite.scenario('commit, leave, come back and go on exactly there', async context => {
    const name = await topic(context, 'resume')
    const group = context.name('resume')
    await kcat(context, ['-P', '-t', name], lines(range(0, 20)))
    const first = member(context, group, name, '-e')
    deepEqual(
      parse((await first.ended).stdout).map(({ offset }) => offset),
      range(0, 20),
    )
    await kcat(context, ['-P', '-t', name], lines(range(20, 25)))
    const second = member(context, group, name, '-e')
    deepEqual(
      parse((await second.ended).stdout).map(({ offset }) => offset),
      range(20, 25),
    )
  })

  for (const strategy of ['range,roundrobin', 'cooperative-sticky']) {
    suite.scenario(
      `members come and go while records flow (${strategy})`,
      async context => {
        const name = await topic(context, 'shared')
        const group = context.name('shared')
        const join = () => member(context, group, name, '-X', `partition.assignment.strategy=${strategy}`)
        const send = (from: number) =>
          kcat(context, ['-P', '-t', name, '-K', ':'], lines(range(from, from + 100).map(i => `k${i}:${i}`)))
        const first = join()
        await eventually('the first member holds everything', () => assigned(first).length === 6)
        await send(0)
        const [second, third] = [join(), join()]
        await balanced([first, second, third], 6)
        await send(100)
        await second.stop()
        await balanced([first, third], 6)
        await send(200)
        await first.stop()
        await send(300)
        await eventually(
          'every record was seen',
          () => {
            const seen = [first, second, third].flatMap(one => parse(lines(one.lines())))
            return new Set(seen.map(({ payload }) => Number(payload))).size === 400
          },
          { ms: 20_000 },
        )
        ok((await third.stop()).code === 0)
      },
      { own: { 'num.partitions': 6 }, timeoutMs: 90_000 },
    )
  }
}
