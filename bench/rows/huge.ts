// What is far beyond the ordinary: messages of 100 MB, and starts with a log of 20 GB.
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { consume, produce, RDKAFKA, whyNoRdkafka } from '../clients/rdkafka.ts'
import { residentMb } from '../measure.ts'
import { cpuMs, loopDelays, rssMb, timeMs, type Row, type Scale } from '../row.ts'
import { createTopic, deleteTopic, verifyCount } from '../topics.ts'
import { watched } from '../watched.ts'
import { started } from './many.ts'

/** After which memory that is given back has been given back. */
const REST_MS = 5000

export function hugeRows({ quick }: Scale): Row[] {
  return [hugeMessages(quick ? 3 : 10), longLog(quick ? 2e8 : 20e9)]
}

function hugeMessages(count: number): Row {
  const size = 100_000_000
  const limit = String(size + 1_000_000)
  const keys = {
    'message.max.bytes': limit,
    'replica.fetch.max.bytes': limit,
    'socket.request.max.bytes': String(size + 10_000_000),
    'fetch.max.bytes': limit,
  }
  const fetching = [
    `fetch.message.max.bytes=${limit}`,
    `fetch.max.bytes=${limit}`,
    `receive.message.max.bytes=${size + 10_000_000}`,
  ]
  return {
    name: `${count} messages of 100 MB`,
    promise: 'fresh broker that allows them; produced with acks=1, no fsync, then consumed; then its memory',
    client: RDKAFKA,
    measures: [
      { key: 'produceMs', unit: 'produce, ms', better: 'less' },
      { key: 'consumeMs', unit: 'consume, ms', better: 'less' },
      cpuMs,
      { ...rssMb, unit: 'RSS afterwards, MB' },
      { ...rssMb, key: 'peakMb', unit: 'RSS at most, MB' },
      ...loopDelays,
    ],
    defaultsDiffer: false,
    fullOnly: true,
    warmUps: 0,
    why: whyNoRdkafka,
    async run(side) {
      const broker = await side.start({ watch: true, keys })
      const topic = `huge-${randomUUID()}`
      await createTopic(broker.address, topic)
      const run = await watched(broker, async () => {
        const from = performance.now()
        const settings = [`message.max.bytes=${limit}`]
        const produced = await produce(broker.address, topic, { size, count, acks: '1', settings })
        const half = performance.now()
        const consumed = await consume(broker.address, topic, { count, settings: fetching })
        const cpuS = produced.cpuS + consumed.cpuS
        return { produceMs: half - from, consumeMs: performance.now() - half, cpuS }
      })
      await verifyCount(broker.address, topic, count)
      await deleteTopic(broker, topic)
      await pause(REST_MS)
      const { now, peak } = residentMb(broker.pid)
      await broker.stop()
      const { produceMs, consumeMs, cpuS } = run.value
      return {
        values: { produceMs, consumeMs, cpuMs: run.brokerCpuS * 1000, rssMb: now, peakMb: peak, ...run.loop },
        client: { cores: cpuS / run.wallS },
        othersCores: run.othersCores,
      }
    },
  }
}

function longLog(bytes: number): Row {
  const size = 10_240
  const count = Math.ceil(bytes / size)
  return {
    name: `starts with a log of ${bytes / 1e9} GB`,
    promise:
      '1 partition, repeated data; process start to its leader, after kill -9 and after a stop in order; then its memory',
    client: 'the benchmark itself',
    measures: [
      { ...timeMs, unit: 'after kill -9, ms' },
      { ...cpuMs, unit: 'after kill -9: broker CPU, ms' },
      { ...rssMb, unit: 'after kill -9: RSS at most, MB' },
      ...loopDelays,
      { ...timeMs, key: 'stopMs', unit: 'the stop, ms' },
      { ...timeMs, key: 'cleanMs', unit: 'after the stop, ms' },
      { ...rssMb, key: 'cleanRssMb', unit: 'after the stop: RSS at most, MB' },
    ],
    defaultsDiffer: false,
    fullOnly: true,
    warmUps: 0,
    why: () => whyNoRdkafka() ?? whyNoSpace(bytes),
    async run(side) {
      const broker = await side.start({ watch: true })
      const topic = `long-${randomUUID()}`
      await createTopic(broker.address, topic)
      await produce(broker.address, topic, { size, count, acks: '1' })
      await verifyCount(broker.address, topic, count)
      // The stop is not to wait for what the system has not written yet.
      spawnSync('sync')
      const second = await broker.restart('SIGKILL')
      const killed = await started(second, [topic])
      const peak = residentMb(second.pid).peak
      await verifyCount(second.address, topic, count)
      const from = performance.now()
      const third = await second.restart('SIGTERM')
      const stopMs = performance.now() - from - third.startMs
      const clean = await started(third, [topic])
      const cleanRssMb = residentMb(third.pid).peak
      await verifyCount(third.address, topic, count)
      await third.stop()
      return { values: { ...killed, rssMb: peak, stopMs, cleanMs: clean['timeMs']!, cleanRssMb } }
    },
  }
}

/** There are two logs at a time where one is being removed; and nothing else is to suffer. */
function whyNoSpace(bytes: number): string | null {
  const { bavail, bsize } = statfsSync(tmpdir())
  const [free, needed] = [bavail * bsize, bytes * 1.5 + 5e9]
  const gb = (value: number): string => (value / 1e9).toFixed(0)
  return free >= needed ? null : `${tmpdir()} has ${gb(free)} GB left of ${gb(needed)} that it takes`
}
