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
  /** A side for which the row means something. */
  readonly oursOnly?: boolean
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
  readonly quick: boolean
  /** Also the rows that no goal speaks of. */
  readonly full: boolean
}

export const rate: Measure = { key: 'rate', unit: 'msg/s', better: 'more' }
export const cpuPerGb: Measure = { key: 'cpuPerGb', unit: 'broker CPU s/GB', better: 'less' }
export const loopMax: Measure = { key: 'loopMaxMs', unit: 'longest event-loop delay, ms', better: 'less' }
export const timeMs: Measure = { key: 'timeMs', unit: 'ms', better: 'less' }
export const rssMb: Measure = { key: 'rssMb', unit: 'RSS, MB', better: 'less' }
