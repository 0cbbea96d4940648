// Named timers that carry a command. Session timers move with every heartbeat, so moving one later costs no timer:
// the armed one wakes up early, sees the new due time and sleeps on. Due times are kept on the monotonic clock.
import type { Runtime, Timer } from '../runtime/index.ts'

interface Alarm<Command> {
  due: number
  armedFor: number
  command: Command
  timer: Timer
}

export class Alarms<Command> {
  readonly #alarms = new Map<string, Alarm<Command>>()
  readonly #runtime: Runtime
  readonly #fire: (key: string, command: Command) => void

  constructor(runtime: Runtime, fire: (key: string, command: Command) => void) {
    this.#runtime = runtime
    this.#fire = fire
  }

  get size(): number {
    return this.#alarms.size
  }

  /** `at` is wall-clock time, as machines see it; only its distance from now counts. */
  set(key: string, at: number, command: Command): void {
    const { clock } = this.#runtime
    const due = clock.monotonic() + Math.max(0, at - clock.now())
    const known = this.#alarms.get(key)
    if (known && due >= known.armedFor) {
      known.due = due
      known.command = command
      return
    }
    known?.timer.cancel()
    this.#arm(key, { due, armedFor: due, command })
  }

  cancel(key: string): void {
    this.#alarms.get(key)?.timer.cancel()
    this.#alarms.delete(key)
  }

  clear(): void {
    for (const { timer } of this.#alarms.values()) timer.cancel()
    this.#alarms.clear()
  }

  #arm(key: string, { due, command }: { due: number; armedFor: number; command: Command }): void {
    const delay = Math.max(0, due - this.#runtime.clock.monotonic())
    const timer = this.#runtime.timers.after(delay, () => this.#wake(key))
    this.#alarms.set(key, { due, armedFor: due, command, timer })
  }

  #wake(key: string): void {
    const alarm = this.#alarms.get(key)
    if (!alarm) return
    // setTimeout may come a fraction of a millisecond early.
    if (alarm.due - this.#runtime.clock.monotonic() >= 1) return this.#arm(key, alarm)
    this.#alarms.delete(key)
    this.#fire(key, alarm.command)
  }
}
