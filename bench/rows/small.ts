// Small requests: one message of 1 KB in each, one at a time, and 20 connections with 4 in flight.
import { randomUUID } from 'node:crypto'
import { produceSmall, SMALL, whyNoSmall } from '../clients/small.ts'
import { measured } from '../measure.ts'
import { loopMax, rate, type Measure, type Row, type Scale } from '../row.ts'
import { createTopic, deleteTopic, verifyCount } from '../topics.ts'

const BYTES = 1000

const p50: Measure = { key: 'p50Ms', unit: 'p50, ms', better: 'less' }
const p99: Measure = { key: 'p99Ms', unit: 'p99, ms', better: 'less' }
const cpuEach: Measure = { key: 'cpuUs', unit: 'broker CPU, us each', better: 'less' }

interface Shape {
  readonly name: string
  readonly connections: number
  readonly inFlight: number
  readonly acks: 1 | -1
}

const shapes: readonly Shape[] = [
  { name: 'single-message produce, depth 1', connections: 1, inFlight: 1, acks: 1 },
  { name: 'single-message produce, 20 x 4', connections: 20, inFlight: 4, acks: 1 },
  { name: 'single-message produce, 20 x 4, acks=all', connections: 20, inFlight: 4, acks: -1 },
]

const manyConnections: readonly Shape[] = [200, 2000].map(connections => ({
  name: `single-message produce, ${connections} connections`,
  connections,
  inFlight: 1,
  acks: 1,
}))

export function smallRows({ quick, full }: Scale): Row[] {
  const [warmMs, runMs] = quick ? [100, 300] : [500, 2500]
  return [...shapes, ...(full ? manyConnections : [])].map(({ name, connections, inFlight, acks }): Row => {
    const few = `${connections} connection${connections === 1 ? '' : 's'}, ${inFlight} in flight${connections === 1 ? '' : ' on each'}`
    return {
      name,
      promise: `${acks === 1 ? 'acks=1, no fsync' : 'acks=all, no fsync (at our defaults fsynced)'}, ${few}, 1 partition, 1 KB`,
      client: SMALL,
      measures: [rate, p50, p99, cpuEach, loopMax],
      defaultsDiffer: acks === -1,
      warmUps: 1,
      why: whyNoSmall,
      async run(_side, start) {
        const broker = await start()
        const topic = `small-${randomUUID()}`
        await createTopic(broker.address, topic)
        await broker.eventLoop()
        const o = { bytes: BYTES, acks, connections, inFlight, warmMs, runMs }
        const run = await measured(
          broker.pid,
          ({ cpuS }) => cpuS,
          () => produceSmall(broker.address, topic, o),
        )
        const loop = await broker.eventLoop()
        await verifyCount(broker.address, topic, run.value.total)
        await deleteTopic(broker, topic)
        const { perSecond, p50Ms, p99Ms, total, busyCores } = run.value
        const cpuUs = (run.brokerCpuS / total) * 1e6
        return {
          values: { rate: perSecond, p50Ms, p99Ms, cpuUs, ...(loop && { loopMaxMs: loop.maxMs }) },
          client: { cores: busyCores, perCore: perSecond / busyCores },
          othersCores: run.othersCores,
        }
      },
    }
  })
}
