// Thousands of topics: made in one request, and found again by a start, after a stop in order and after kill -9.
import type { Broker } from '../brokers.ts'
import { cpuSeconds, residentMb } from '../measure.ts'
import { cpuMs, loopDelays, rssMb, timeMs, type Measure, type Row, type Scale } from '../row.ts'
import { allLed, createTopics, fill } from '../topics.ts'
import { loopOf, watched } from '../watched.ts'

const stopMs: Measure = { key: 'stopMs', unit: 'stop, ms', better: 'less' }
const CLIENT = 'the benchmark itself'
/** Kafka takes so many in one batch. */
const PER_REQUEST = 5000

const topicNames = (count: number): string[] => Array.from({ length: count }, (_, i) => `topic-${i}`)

export function manyRows({ quick }: Scale): Row[] {
  const less = quick ? 10 : 1
  return [
    creation(1000 / less),
    restart(1000 / less, 1e9 / less, 'SIGKILL'),
    ...[
      creation(5000 / less),
      restart(2000 / less, 2e5, 'SIGTERM'),
      restart(5000 / less, 5e5, 'SIGTERM'),
      restart(5000 / less, 2e9 / less, 'SIGKILL'),
    ].map(row => ({ ...row, fullOnly: true })),
  ]
}

function creation(count: number): Row {
  const names = topicNames(count)
  return {
    name: `${count} topics in one CreateTopics`,
    promise: 'fresh broker, 1 partition each; then its memory',
    client: `${CLIENT}, one request`,
    measures: [timeMs, cpuMs, rssMb, ...loopDelays],
    defaultsDiffer: true,
    warmUps: 0,
    async run(side) {
      const broker = await side.start({ watch: true })
      const run = await watched(broker, async () => ({ tookMs: await createTopics(broker.address, names) }))
      const rss = residentMb(broker.pid).now
      await broker.stop()
      return { values: { timeMs: run.value.tookMs, cpuMs: run.brokerCpuS * 1000, rssMb: rss, ...run.loop } }
    },
  }
}

function restart(count: number, bytes: number, signal: 'SIGTERM' | 'SIGKILL'): Row {
  const names = topicNames(count)
  const how = signal === 'SIGTERM' ? 'start after a stop' : 'start after kill -9'
  const size = bytes >= 1e8 ? `${(bytes / 1e9).toFixed(1)} GB` : 'a record each'
  return {
    name: `${how}, ${count} partitions, ${size}`,
    promise: 'process start to Metadata with a leader of every partition, and offsets of the last; then its memory',
    client: CLIENT,
    measures: [timeMs, cpuMs, rssMb, ...(signal === 'SIGTERM' ? [stopMs] : []), ...loopDelays],
    defaultsDiffer: false,
    warmUps: 0,
    async run(side) {
      const broker = await side.start({ watch: true })
      for (let from = 0; from < count; from += PER_REQUEST) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await createTopics(broker.address, names.slice(from, from + PER_REQUEST))
      }
      await allLed(broker.address, names)
      await fill(broker.address, names, bytes)
      const from = performance.now()
      const again = await broker.restart(signal)
      const stopped = performance.now() - from - again.startMs
      const values = { ...(await started(again, names)), stopMs: stopped }
      await again.stop()
      return { values }
    },
  }
}

/** Resolves with what a start took, once all partitions are led. */
export async function started(broker: Broker, names: readonly string[]): Promise<Record<string, number>> {
  const from = performance.now()
  await allLed(broker.address, names)
  const took = broker.startMs + performance.now() - from
  const memory = residentMb(broker.pid).now
  return { timeMs: took, cpuMs: cpuSeconds(broker.pid) * 1000, rssMb: memory, ...(await loopOf(broker)) }
}
