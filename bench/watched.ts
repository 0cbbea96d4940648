// One run of a client against a broker, with what every row tells of it: CPU, who else was busy, the event loop.
import type { Broker } from './brokers.ts'
import { measured, type Measured } from './measure.ts'

export interface Watched<T> extends Measured<T> {
  /** Values of the measures in `loopDelays`; none where the broker has no event loop. */
  readonly loop: Readonly<Record<string, number>>
}

/** `cpuS` in what the client resolves with is its own CPU time; a client in this process has none. */
export async function watched<T extends object>(broker: Broker, run: () => Promise<T>): Promise<Watched<T>> {
  // What came before is not of this run.
  await broker.eventLoop()
  const cpuOf = (value: object): number => ('cpuS' in value ? Number(value.cpuS) : 0)
  const done = await measured(broker.pid, cpuOf, run)
  return { ...done, loop: await loopOf(broker) }
}

/** Since it was last asked. */
export async function loopOf(broker: Broker): Promise<Readonly<Record<string, number>>> {
  const found = await broker.eventLoop()
  return found === null ? {} : { loopP99Ms: found.p99Ms, loopMaxMs: found.maxMs }
}
