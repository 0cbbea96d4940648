// What happens once: a start, the first round trip of a client; and the memory that remains.
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import * as kafkajs from '../clients/kafkajs.ts'
import * as platformatic from '../clients/platformatic.ts'
import { residentMb } from '../measure.ts'
import { loopDelays, rssMb, timeMs, type Row, type Scale } from '../row.ts'
import { deleteTopic } from '../topics.ts'
import { watched } from '../watched.ts'

/** How long a broker is left alone before it is called idle. */
const IDLE_MS = 1500
const WARM_STARTS = 12

export function startRows({ quick }: Scale): Row[] {
  return [coldStart(quick), coldStart(quick, true), listen(), ...firstRoundTrips()]
}

function coldStart(quick: boolean, memory = false): Row {
  return {
    name: memory ? 'start of the CLI, --memory' : 'start of the CLI, empty folder',
    promise: 'process start to first answered ApiVersions; then idle memory',
    client: 'the benchmark itself, trying every 1 ms',
    measures: [timeMs, { ...rssMb, unit: 'idle RSS, MB' }],
    defaultsDiffer: !memory,
    ...(memory && { oursOnly: true }),
    warmUps: quick ? 0 : 1,
    async run(side) {
      const broker = await side.start({ memory })
      await pause(quick ? 100 : IDLE_MS)
      const rss = residentMb(broker.pid).now
      await broker.stop()
      return { values: { timeMs: broker.startMs, rssMb: rss } }
    },
  }
}

/** The package's own entry point, used in this process. */
interface Package {
  createBroker(): { listen(): Promise<void>; close(): Promise<void> }
}

function listen(): Row {
  return {
    name: 'createBroker().listen(), warm process',
    promise: `in memory, median of ${WARM_STARTS} after two`,
    client: 'the benchmark itself',
    measures: [timeMs],
    defaultsDiffer: false,
    oursOnly: true,
    warmUps: 0,
    async run(side) {
      const entry = join(side.build!.folder, 'dist/index.js')
      const entryPoint = (await import(pathToFileURL(entry).href)) as Package
      const times: number[] = []
      for (let i = 0; i < WARM_STARTS + 2; i++) {
        const broker = entryPoint.createBroker()
        const from = performance.now()
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await broker.listen()
        if (i >= 2) times.push(performance.now() - from)
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await broker.close()
      }
      return { values: { timeMs: times.sort((a, b) => a - b)[times.length >> 1]! } }
    },
  }
}

const newClients = [
  { name: 'KafkaJS', told: 'KafkaJS, of whose time 100 ms are a sleep of its own', client: kafkajs },
  { name: '@platformatic/kafka', told: '@platformatic/kafka', client: platformatic },
]

function firstRoundTrips(): Row[] {
  return newClients.map(({ name, told, client }): Row => ({
    name: `first round trip of ${name}`,
    promise: 'warm broker: connect, create topic, produce one (acks=all, no fsync), consume it with a new group',
    client: told,
    measures: [timeMs, ...loopDelays],
    defaultsDiffer: true,
    warmUps: 2,
    async run(_side, start) {
      const broker = await start()
      const cpu = process.cpuUsage()
      const { value, loop } = await watched(broker, () => client.roundTrip(broker.address))
      const { user, system } = process.cpuUsage(cpu)
      await deleteTopic(broker, value.topic)
      return { values: { timeMs: value.tookMs, ...loop }, client: { cores: (user + system) / 1000 / value.tookMs } }
    },
  }))
}
