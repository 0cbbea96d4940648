// One producer at a fixed rate, and 1, 10 and 50 consumers that read everything as it comes.
import { randomUUID } from 'node:crypto'
import { LATENCY, latencies, whyNoLatency } from '../clients/latency.ts'
import { cpuPerGb, loopDelays, rate, type Row, type Scale } from '../row.ts'
import { createTopic, deleteTopic, verifyCount } from '../topics.ts'
import { watched } from '../watched.ts'

const BYTES = 1024
const RECORDS = 10
const BATCHES_PER_SECOND = 200

export function fanOutRows({ quick }: Scale): Row[] {
  const [warmMs, runMs] = quick ? [200, 300] : [1000, 4000]
  return [1, 10, 50].map((consumers): Row => ({
    name: `fan-out, ${consumers} consumer${consumers === 1 ? '' : 's'}`,
    promise: `${BATCHES_PER_SECOND} batches of ${RECORDS} x 1 KiB a second, open loop, acks=1, no fsync, 1 partition; each consumer reads all; GB as delivered`,
    client: LATENCY,
    measures: [
      { ...rate, unit: 'msg/s delivered' },
      { ...cpuPerGb, unit: 'broker CPU s/GB delivered' },
      { key: 'readP50', unit: 'end to end p50, ms', better: 'less' },
      { key: 'readP99', unit: 'end to end p99, ms', better: 'less' },
      ...loopDelays,
    ],
    defaultsDiffer: false,
    fullOnly: true,
    warmUps: 1,
    why: whyNoLatency,
    async run(_side, start) {
      const broker = await start()
      const topic = `fan-out-${randomUUID()}`
      await createTopic(broker.address, topic)
      const o = { bytes: BYTES, acks: 1, rate: BATCHES_PER_SECOND, records: RECORDS, consumers, warmMs, runMs } as const
      const { value, brokerCpuS, wallS, othersCores, loop } = await watched(broker, () =>
        latencies(broker.address, topic, o),
      )
      await verifyCount(broker.address, topic, value.total)
      await deleteTopic(broker, topic)
      const delivered = value.total * consumers
      return {
        values: {
          rate: delivered / value.seconds,
          cpuPerGb: brokerCpuS / ((delivered * BYTES) / 1e9),
          readP50: value.read.p50 / 1000,
          readP99: value.read.p99 / 1000,
          ...loop,
        },
        client: { cores: value.cpuS / wallS },
        othersCores,
      }
    },
  }))
}
