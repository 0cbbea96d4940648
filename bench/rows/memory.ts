// How much memory a broker takes that nobody uses, and one through which a few gigabytes went.
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { smallJvm } from '../brokers.ts'
import type { Broker } from '../brokers.ts'
import { produce, RDKAFKA, whyNoRdkafka } from '../clients/rdkafka.ts'
import { residentMb } from '../measure.ts'
import { loopDelays, rssMb, type Row, type Scale } from '../row.ts'
import { createTopic, deleteTopic, verifyCount } from '../topics.ts'
import { watched } from '../watched.ts'

/** Like the produce rows that the goals name. */
const loads = [
  { size: 100, count: 4_000_000 },
  { size: 1024, count: 800_000 },
  { size: 10_240, count: 120_000 },
] as const
const IDLE_MS = 1500

export function memoryRows({ quick }: Scale): Row[] {
  return [memory(quick, false), memory(quick, true)]
}

function memory(quick: boolean, smallHeap: boolean): Row {
  const heap = smallHeap ? `its smallest heap (${smallJvm.slice(0, -1).join(' ')})` : 'its default heap of 1 GB'
  return {
    name: `memory, Kafka with ${smallHeap ? 'its smallest' : 'its default'} heap`,
    promise: `fresh broker: idle, then after 100 B, 1 KiB and 10 KiB produced, acks=1, no fsync; Apache Kafka with ${heap}`,
    client: RDKAFKA,
    measures: [
      { ...rssMb, key: 'idleMb', unit: 'idle RSS, MB' },
      { ...rssMb, unit: 'RSS after the produces, MB' },
      { ...rssMb, key: 'peakMb', unit: 'RSS at most, MB' },
      ...loopDelays,
    ],
    defaultsDiffer: false,
    warmUps: 0,
    why: whyNoRdkafka,
    async run(side) {
      const broker = await side.start({ watch: true, smallHeap })
      await pause(quick ? 100 : IDLE_MS)
      const idle = residentMb(broker.pid).now
      const { loop } = await watched(broker, async () => {
        for (const { size, count } of loads) {
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          await load(broker, size, quick ? count / 40 : count)
        }
        return {}
      })
      const { now, peak } = residentMb(broker.pid)
      await broker.stop()
      return { values: { idleMb: idle, rssMb: now, peakMb: peak, ...loop } }
    },
  }
}

async function load(broker: Broker, size: number, count: number): Promise<void> {
  const topic = `memory-${randomUUID()}`
  await createTopic(broker.address, topic)
  await produce(broker.address, topic, { size, count, acks: '1' })
  await verifyCount(broker.address, topic, count)
  await deleteTopic(broker, topic)
}
