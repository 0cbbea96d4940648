// Small requests: single-message produces of 1 KB, heartbeats and commits of groups, over 1 to 2,000 connections.
import { randomUUID } from 'node:crypto'
import type { Broker } from '../brokers.ts'
import { committedLayout, commitOf, heartbeatLayout, heartbeatOf, withGroups, type Member } from '../clients/groups.ts'
import {
  messagesOf,
  producedLayout,
  sendSmall,
  SMALL,
  whyNoSmall,
  type Sending,
  type SmallRun,
} from '../clients/small.ts'
import { cpuEach, loopDelays, p50, p99, rate, type Row, type Sample, type Scale } from '../row.ts'
import { createTopic, deleteTopic, verifyCount } from '../topics.ts'
import { watched, type Watched } from '../watched.ts'

const BYTES = 1000

interface Shape {
  readonly connections: number
  readonly inFlight: number
}

/** What the goals name. */
const produces: readonly (Shape & { readonly name: string })[] = [
  { name: 'single-message produce, depth 1', connections: 1, inFlight: 1 },
  { name: 'single-message produce, 20 x 4', connections: 20, inFlight: 4 },
]
const unpipelined: readonly Shape[] = [1, 20, 200, 2000].map(connections => ({ connections, inFlight: 1 }))
const named = (what: string, { connections }: Shape): string =>
  `${what}, ${connections} connection${connections === 1 ? '' : 's'}`

export function smallRows({ quick }: Scale): Row[] {
  const [warmMs, runMs] = quick ? [100, 300] : [500, 3000]
  const timed = (shape: Shape): Sending => ({ ...shape, warmMs, runMs })
  const more = [
    ...unpipelined.slice(1).map(shape => produceRow(named('single-message produce', shape), timed(shape), 1)),
    produceRow('single-message produce, 20 x 4, acks=all', timed({ connections: 20, inFlight: 4 }), -1),
    ...unpipelined.flatMap(shape => [heartbeatRow(timed(shape)), commitRow(timed(shape))]),
  ]
  return [
    ...produces.map(shape => produceRow(shape.name, timed(shape), 1)),
    ...more.map(row => ({ ...row, fullOnly: true })),
  ]
}

const common = {
  client: SMALL,
  measures: [{ ...rate, unit: 'requests/s' }, p50, p99, cpuEach, ...loopDelays],
  warmUps: 1,
  why: whyNoSmall,
} as const

const few = ({ connections, inFlight }: Sending): string =>
  `${connections} connection${connections === 1 ? '' : 's'}, ${inFlight} in flight${connections === 1 ? '' : ' on each'}`

function produceRow(name: string, o: Sending, acks: 1 | -1): Row {
  const flush = acks === 1 ? 'acks=1, no fsync' : 'acks=all, no fsync (at our defaults fsynced)'
  return {
    ...common,
    name,
    promise: `${flush}, ${few(o)}, 1 partition, 1 KB`,
    defaultsDiffer: acks === -1,
    async run(_side, start) {
      const broker = await start()
      const topic = `small-${randomUUID()}`
      await createTopic(broker.address, topic)
      const message = messagesOf(topic, { bytes: BYTES, acks })
      const run = await watched(broker, () => sendSmall(broker.address, [message], producedLayout(topic), o))
      await verifyCount(broker.address, topic, run.value.total)
      await deleteTopic(broker, topic)
      return sampleOf(run)
    },
  }
}

function heartbeatRow(o: Sending): Row {
  return {
    ...common,
    name: named('heartbeats', o),
    promise: `${few(o)}, each of a member of its own classic group`,
    defaultsDiffer: false,
    async run(_side, start) {
      const broker = await start()
      return withGroups(broker.address, o.connections, members =>
        send(broker, members.map(heartbeatOf), heartbeatLayout(), o),
      )
    },
  }
}

function commitRow(o: Sending): Row {
  return {
    ...common,
    name: named('offset commits', o),
    promise: `no fsync (at our defaults fsynced), ${few(o)}, one partition in each, of a member of its own classic group`,
    defaultsDiffer: true,
    async run(_side, start) {
      const broker = await start()
      const topic = `commits-${randomUUID()}`
      await createTopic(broker.address, topic)
      const requests = (members: readonly Member[]): Buffer[] => members.map(member => commitOf(member, topic))
      const sample = await withGroups(
        broker.address,
        o.connections,
        members => send(broker, requests(members), committedLayout(topic), o),
        topic,
      )
      await deleteTopic(broker, topic)
      return sample
    },
  }
}

const send = async (broker: Broker, requests: Buffer[], layout: Parameters<typeof sendSmall>[2], o: Sending) =>
  sampleOf(await watched(broker, () => sendSmall(broker.address, requests, layout, o)))

function sampleOf(run: Watched<SmallRun>): Sample {
  const { perSecond, p50Ms, p99Ms, total, busyCores } = run.value
  return {
    values: { rate: perSecond, p50Ms, p99Ms, cpuUs: (run.brokerCpuS / total) * 1e6, ...run.loop },
    client: { cores: busyCores, perCore: perSecond / busyCores },
    othersCores: run.othersCores,
  }
}
