// How long a message takes at a fixed rate, whatever the broker does meanwhile: until it is acknowledged, until it is read.
import { randomUUID } from 'node:crypto'
import { LATENCY, latencies, whyNoLatency } from '../clients/latency.ts'
import { loopDelays, type Measure, type Row, type Scale } from '../row.ts'
import { createTopic, deleteTopic, verifyCount } from '../topics.ts'
import { watched } from '../watched.ts'

const BYTES = 1000
const RATE = 1000

const measures: readonly Measure[] = [
  { key: 'ackP50', unit: 'ack p50, ms', better: 'less' },
  { key: 'ackP99', unit: 'ack p99, ms', better: 'less' },
  { key: 'readP50', unit: 'end to end p50, ms', better: 'less' },
  { key: 'readP99', unit: 'end to end p99, ms', better: 'less' },
  { key: 'readP999', unit: 'end to end p99.9, ms', better: 'less' },
  ...loopDelays,
]

export function latencyRows({ quick }: Scale): Row[] {
  const [warmMs, runMs] = quick ? [200, 300] : [1000, 4000]
  return [false, true].map((isFsynced): Row => ({
    name: `${RATE} msg/s, open loop${isFsynced ? ', every message fsynced' : ''}`,
    promise: isFsynced
      ? 'acks=all, flush.messages=1 at Kafka, ours at its defaults; 1 partition, 1 KB'
      : 'acks=1, no fsync, 1 partition, 1 KB, linger 0',
    client: LATENCY,
    measures,
    defaultsDiffer: isFsynced,
    warmUps: 1,
    why: whyNoLatency,
    async run(side, start) {
      const broker = await start()
      const topic = `latency-${randomUUID()}`
      const configs = isFsynced && side.id === 'kafka' ? { 'flush.messages': '1' } : undefined
      await createTopic(broker.address, topic, 1, configs)
      const o = { bytes: BYTES, acks: isFsynced ? -1 : 1, rate: RATE, warmMs, runMs } as const
      const { value, othersCores, wallS, loop } = await watched(broker, () => latencies(broker.address, topic, o))
      await verifyCount(broker.address, topic, value.total)
      await deleteTopic(broker, topic)
      const { ack, read, cpuS } = value
      return {
        values: {
          ackP50: ack.p50 / 1000,
          ackP99: ack.p99 / 1000,
          readP50: read.p50 / 1000,
          readP99: read.p99 / 1000,
          readP999: read.p999 / 1000,
          ...loop,
        },
        client: { cores: cpuS / wallS },
        othersCores,
      }
    },
  }))
}
