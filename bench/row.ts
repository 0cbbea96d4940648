// What a row of the benchmark is: a workload that runs on one side after the other, and what is told of each run.
import type { Broker, Side } from './brokers.ts'

export interface Measure {
  readonly key: string
  /** As in `msg/s` or `ms`. */
  readonly unit: string
  readonly better: 'more' | 'less'
}

/** One run of a row on one side. */
export interface Sample {
  /** By the key of the measure. */
  readonly values: Readonly<Record<string, number>>
  /** How many processors the client used, and how much one of them could do of it. */
  readonly client?: { readonly cores: number; readonly perCore?: number }
  /** Processors that neither side nor client used. */
  readonly othersCores?: number
}

export interface Row {
  readonly name: string
  /** acks, flush, partitions and whatever else the figure stands for. */
  readonly promise: string
  readonly client: string
  readonly measures: readonly Measure[]
  /** Whether ours at its defaults (acks=all fsynced) may differ from ours without fsync. */
  readonly defaultsDiffer: boolean
  /** Whether it means nothing at Apache Kafka. */
  readonly oursOnly?: boolean
  /** Whether no goal speaks of it, so that only --full runs it. */
  readonly fullOnly?: boolean
  /** Runs that are thrown away before the first pair. */
  readonly warmUps: number
  /** Null where its client is there, else why it is not. */
  why?(): string | null
  /** `broker` starts or finds the long-lived one. */
  run(side: Side, broker: () => Promise<Broker>): Promise<Sample>
  /** After the last run on this side. */
  finish?(broker: Broker): Promise<void>
}

export interface Scale {
  /** Tiny runs. */
  readonly quick: boolean
}

export const rate: Measure = { key: 'rate', unit: 'msg/s', better: 'more' }
export const cpuPerGb: Measure = { key: 'cpuPerGb', unit: 'broker CPU s/GB', better: 'less' }
export const p50: Measure = { key: 'p50Ms', unit: 'p50, ms', better: 'less' }
export const p99: Measure = { key: 'p99Ms', unit: 'p99, ms', better: 'less' }
export const cpuEach: Measure = { key: 'cpuUs', unit: 'broker CPU, us each', better: 'less' }
export const cpuMs: Measure = { key: 'cpuMs', unit: 'broker CPU, ms', better: 'less' }
/** Of ours alone; see `watched`. */
export const loopDelays: readonly Measure[] = [
  { key: 'loopP99Ms', unit: 'event-loop delay p99, ms', better: 'less' },
  { key: 'loopMaxMs', unit: 'longest event-loop delay, ms', better: 'less' },
]
export const timeMs: Measure = { key: 'timeMs', unit: 'ms', better: 'less' }
export const rssMb: Measure = { key: 'rssMb', unit: 'RSS, MB', better: 'less' }
