// The machine, once: clock, timers, randomness and logger, passed as one value to everything that needs them.
import type { Clock } from './clock.ts'
import type { Logger } from './log.ts'
import type { Random } from './random.ts'
import type { Timers } from './timers.ts'
import { systemClock } from './clock.ts'
import { systemRandom } from './random.ts'
import { systemTimers } from './timers.ts'

export interface Runtime {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly log: Logger
}

export function systemRuntime(log: Logger): Runtime {
  return { clock: systemClock, timers: systemTimers, random: systemRandom, log }
}

export type { Clock } from './clock.ts'
export type { LogFunction, Logger, LogLine } from './log.ts'
export type { Random } from './random.ts'
export type { Timer, Timers } from './timers.ts'
export type { VirtualRuntime } from './virtual.ts'
export { systemClock } from './clock.ts'
export { recordingLogger, silentLogger } from './log.ts'
export { seededRandom, systemRandom } from './random.ts'
export { systemTimers } from './timers.ts'
export { virtualRuntime } from './virtual.ts'
