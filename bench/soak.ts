// `npm run bench -- --soak MINUTES`: full load on one broker at its defaults, all that it holds verified afterwards, and whether
// its memory is what it was halfway.
import { setTimeout as sleep } from 'node:timers/promises'
import { ourSide, type Broker } from './brokers.ts'
import { buildHere } from './builds.ts'
import { consumeInGroup, produce, whyNoRdkafka, type GroupConsumer, type Producing } from './clients/rdkafka.ts'
import { commitTransactions, whyNoTransactions } from './clients/transactions.ts'
import { cpuSeconds, machineClass, residentMb } from './measure.ts'
import { number, spread } from './report.ts'
import { createTopic, verifyCount } from './topics.ts'
import { eventually } from '../compat/harness/wait.ts'
import { open } from '../compat/harness/wire.ts'
import { ListOffsets, OffsetFetch } from '../protocol/index.ts'

const EVERY_S = 10
/** Old segments go, so that the disk stays bounded however long it takes. */
const keys = { 'log.retention.check.interval.ms': '5000' }
const bounded = { 'retention.bytes': '268435456', 'segment.bytes': '67108864' }
const PLAIN = { name: 'soak', partitions: 12 }
const TRANSACTIONAL = { name: 'soak-transactions', partitions: 6 }
const TRANSACTIONAL_PRODUCERS = 5
const CONSUMERS_PER_GROUP = 2
/** Until the groups have read what was left when the producers ended. */
const CATCH_UP_MS = 120_000

/** Rounds of a few seconds, each from a new client. */
const producers: readonly Producing[] = [
  { size: 1024, count: 400_000, acks: '1', partitions: PLAIN.partitions },
  { size: 1024, count: 200_000, acks: '-1', idempotent: true, codec: 'lz4', partitions: PLAIN.partitions },
  { size: 100, count: 1_000_000, acks: '1', partitions: PLAIN.partitions },
]
const groups = [
  { id: 'soak-1', topic: PLAIN },
  { id: 'soak-2', topic: PLAIN },
  { id: 'soak-transactions', topic: TRANSACTIONAL },
] as const

interface Sample {
  readonly seconds: number
  readonly rssMb: number
  readonly loopMaxMs: number
}

/** Resolves with whether memory stayed flat; rejects when a client fails, or what the broker holds is not what it acknowledged. */
export async function soak(minutes: number, folder: string): Promise<boolean> {
  const why = whyNoRdkafka() ?? whyNoTransactions()
  if (why !== null) throw new Error(why)
  const build = buildHere(folder)
  console.log(`Odradek ${build.revision} at its defaults; ${machineClass()}; ${minutes} minutes`)
  const broker = await ourSide('defaults', 'Odradek', build, folder, {}).start({ watch: true, keys })
  for (const { name, partitions } of [PLAIN, TRANSACTIONAL]) {
    // oxlint-disable-next-line no-await-in-loop -- few
    await createTopic(broker.address, name, partitions, bounded)
  }
  const runMs = minutes * 60_000
  const until = performance.now() + runMs
  const consumers = groups.flatMap(({ id, topic }) =>
    Array.from({ length: CONSUMERS_PER_GROUP }, () => consumeInGroup(broker.address, topic.name, id)),
  )
  const transactional = { producers: TRANSACTIONAL_PRODUCERS, bytes: 100, warmMs: 0, runMs }
  const [samples, transactions, ...produced] = await Promise.all([
    sampleUntil(broker, until),
    commitTransactions(broker.address, TRANSACTIONAL.name, transactional),
    ...producers.map(o => produceUntil(broker.address, o, until)),
  ])
  const acknowledged = produced.reduce((sum, count) => sum + count, 0)
  await finish(broker, consumers, acknowledged, transactions.total)
  return verdict(samples)
}

async function produceUntil(address: string, o: Producing, until: number): Promise<number> {
  let count = 0
  while (performance.now() < until) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    count += (await produce(address, PLAIN.name, o)).messages
  }
  return count
}

async function sampleUntil(broker: Broker, until: number): Promise<Sample[]> {
  const samples: Sample[] = []
  const from = performance.now()
  let cpu = cpuSeconds(broker.pid)
  console.log('     s   RSS MB   loop p99 ms   loop max ms   broker CPUs')
  while (performance.now() < until) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await sleep(EVERY_S * 1000)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const loop = (await broker.eventLoop())!
    const [rssMb, used] = [residentMb(broker.pid).now, cpuSeconds(broker.pid)]
    const seconds = (performance.now() - from) / 1000
    const columns = [seconds.toFixed(0).padStart(6), rssMb.toFixed(1).padStart(9), loop.p99Ms.toFixed(1).padStart(14)]
    columns.push(loop.maxMs.toFixed(1).padStart(14), ((used - cpu) / EVERY_S).toFixed(2).padStart(14))
    console.log(columns.join(''))
    samples.push({ seconds, rssMb, loopMaxMs: loop.maxMs })
    cpu = used
  }
  return samples
}

/** Lets the groups read to the end, and compares what was acknowledged with what is held. */
async function finish(
  broker: Broker,
  consumers: readonly GroupConsumer[],
  acknowledged: number,
  transactions: number,
): Promise<void> {
  for (const { id, topic } of groups) {
    // A marker is no message: who reads it has nothing to commit.
    const unread = topic === TRANSACTIONAL ? TRANSACTIONAL_PRODUCERS * topic.partitions : 0
    // oxlint-disable-next-line no-await-in-loop -- few
    await eventually(`${id} at the end`, async () => (await lag(broker.address, id, topic)) <= unread, {
      ms: CATCH_UP_MS,
      everyMs: 500,
    })
  }
  const read = await Promise.all(consumers.map(consumer => consumer.stop()))
  await verifyCount(broker.address, PLAIN.name, acknowledged, PLAIN.partitions)
  // Each transaction has one record, and one marker in its partition.
  await verifyCount(broker.address, TRANSACTIONAL.name, transactions * 2, TRANSACTIONAL.partitions)
  await broker.stop()
  const total = read.reduce((sum, count) => sum + count, 0)
  console.log(
    `${number(acknowledged)} messages and ${number(transactions)} transactions acknowledged and counted, ${number(total)} read; verified`,
  )
}

/** How many offsets are left between what the group committed and the ends. */
async function lag(address: string, groupId: string, topic: { name: string; partitions: number }): Promise<number> {
  const wire = await open(address)
  try {
    const partitionIndexes = Array.from({ length: topic.partitions }, (_, partition) => partition)
    const partitions = partitionIndexes.map(partitionIndex => ({
      partitionIndex,
      currentLeaderEpoch: -1,
      timestamp: -1,
    }))
    const wanted = { replicaId: -1, isolationLevel: 0, topics: [{ name: topic.name, partitions }] }
    const ends = await wire.request(ListOffsets, 7, wanted)
    const commits = await wire.request(OffsetFetch, 5, { groupId, topics: [{ name: topic.name, partitionIndexes }] })
    const committed = new Map(commits.topics[0]!.partitions.map(p => [p.partitionIndex, p.committedOffset]))
    return ends.topics[0]!.partitions.reduce(
      (sum, { partitionIndex, offset }) => sum + offset - Math.max(0, committed.get(partitionIndex)!),
      0,
    )
  } finally {
    wire.close()
  }
}

/** Flat: the median of the last quarter is hardly above that of the third. */
function verdict(samples: readonly Sample[]): boolean {
  const quarter = Math.max(1, Math.floor(samples.length / 4))
  const medianOf = (from: number, to?: number): number =>
    spread(samples.slice(from, to).map(({ rssMb }) => rssMb))?.median ?? NaN
  const [third, last] = [medianOf(-2 * quarter, -quarter), medianOf(-quarter)]
  const isFlat = last <= third * 1.05
  const stalls = samples.map(({ loopMaxMs }) => loopMaxMs)
  const { median, max } = spread(stalls)!
  console.log(
    `RSS: median of the third quarter ${number(third)} MB, of the last ${number(last)} MB, ` +
      `slope of the second half ${slopeMbPerHour(samples.slice(-2 * quarter)).toFixed(1)} MB an hour: ${isFlat ? 'flat' : 'NOT FLAT'}`,
  )
  console.log(`Event loop: longest delay ${number(max)} ms, median of the longest in ${EVERY_S} s ${number(median)} ms`)
  return isFlat
}

/** Least squares. */
function slopeMbPerHour(samples: readonly Sample[]): number {
  const mean = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length
  const [x, y] = [mean(({ seconds }) => seconds), mean(({ rssMb }) => rssMb)]
  const above = samples.reduce((sum, { seconds, rssMb }) => sum + (seconds - x) * (rssMb - y), 0)
  return (above / samples.reduce((sum, { seconds }) => sum + (seconds - x) ** 2, 0)) * 3600
}
