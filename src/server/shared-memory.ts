// What connections share, for pressure.ts: who holds how much of it, what counts as getting on, and how long one may stand
// still while others wait.
import type { ServerCounters } from '../observe/counters.ts'
import type { Runtime } from '../runtime/index.ts'
import type { Connection } from './connection.ts'
import type { Load } from './load.ts'
import type { LimitedLog } from './log-limit.ts'
import type { ReceiveMemory } from './receive-memory.ts'
import { SMALL } from './frames.ts'
import { Pressure, type Shared } from './pressure.ts'

/** While others wait for its memory, a large request must come at this rate, and the faster the more it has. */
const LEAST_RECEIVED = 64 * 1024
const LEAST_RECEIVED_PART = 1 / 16
const RECEIVING_PATIENCE_MS = 2000
/** A consumer may work on what it has for a while before it reads on, and the system tells of room only when much of it is free. */
const ANSWERS_PATIENCE_MS = 15_000
/** Longer than what is waited for usually takes: a poll, a rebalance, a disk. */
const WAITING_PATIENCE_MS = 10_000

interface PressureOnOptions<Context> {
  readonly runtime: Runtime
  readonly log: LimitedLog
  readonly memory: ReceiveMemory
  readonly load: Load
  readonly counters: ServerCounters
  readonly connections: ReadonlySet<Connection<Context>>
}

/** Watches whenever the memory or the load says so. */
export function pressureOn<Context>(o: PressureOnOptions<Context>): Pressure<Connection<Context>> {
  const { runtime, memory, load, connections } = o
  const close = (connection: Connection<Context>, name: string, bytes: number): void => {
    const { id, remoteAddress, softwareName } = connection
    o.counters.connectionsShed++
    const fields = { connection: id, remoteAddress, softwareName, bytes }
    o.log.line('warn', `shed ${name}`, fields, `memory is short for ${name}: a connection that stood still is closed`)
    connection.destroy()
    // At once, so that no more are closed than need be.
    connection.share.countAnswers()
  }

  const receiving: Shared<Connection<Context>> = {
    name: 'requests being received',
    isShort: () => memory.isShort,
    heldBy: connection => (connection.isReading ? connection.receivingBytes : 0),
    progressOf: connection => connection.receivedBytes,
    leastProgress: bytes => Math.max(LEAST_RECEIVED, bytes * LEAST_RECEIVED_PART),
    patienceMs: RECEIVING_PATIENCE_MS,
    // Where all that hold some want more, the last one gives way; those that are stopped for the load will go on.
    stuck() {
      if (load.isStopped) return
      const holding = [...connections].filter(({ receivingBytes }) => receivingBytes > LEAST_RECEIVED)
      const last = holding.findLast(({ isShort }) => isShort)
      if (last && !holding.some(({ isReading }) => isReading)) close(last, this.name, last.receivingBytes)
    },
  }
  const held: Shared<Connection<Context>> = {
    name: 'requests held back',
    isShort: () => memory.isFull,
    heldBy: connection => (connection.isReading || connection.isShort ? 0 : connection.receivingBytes),
    progressOf: connection => connection.share.settled + connection.share.leftBytes,
    leastProgress: () => 1,
    patienceMs: WAITING_PATIENCE_MS,
  }
  const begun: Shared<Connection<Context>> = {
    name: 'small requests being received',
    isShort: () => memory.isFull,
    heldBy: ({ isReading, receivingBytes }) => (isReading && receivingBytes <= SMALL ? receivingBytes : 0),
    progressOf: connection => connection.receivedBytes,
    leastProgress: bytes => bytes * LEAST_RECEIVED_PART,
    patienceMs: RECEIVING_PATIENCE_MS,
  }
  const unanswered: Shared<Connection<Context>> = {
    name: 'unanswered requests',
    isShort: () => load.isStoppedByRequests,
    heldBy: connection => connection.share.waitingBytes,
    progressOf: connection => connection.share.settled,
    leastProgress: () => 1,
    patienceMs: WAITING_PATIENCE_MS,
  }
  const answers: Shared<Connection<Context>> = {
    name: 'answers',
    isShort: () => load.isPressing,
    heldBy: connection => connection.share.answerBytes,
    progressOf: connection => connection.share.leftBytes,
    leastProgress: () => 1,
    patienceMs: ANSWERS_PATIENCE_MS,
  }

  const pressure = new Pressure({
    timers: runtime.timers,
    now: () => runtime.clock.monotonic(),
    connections,
    shared: [receiving, held, begun, unanswered, answers],
    close,
  })
  memory.onPressure = load.onPressure = () => pressure.watch()
  return pressure
}
