// Loggers with names, whose levels can be changed while they are used. Names are paths: what has no level of its own goes by
// the nearest above it, `root` above all. Kafka: LoggingController.java, Log4jCoreController.java.
import type { LogFunction, Logger } from './log.ts'

export const ROOT = 'root'

/** Kafka's names; nothing is logged as TRACE or FATAL here. */
export const levelNames = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const
export type LevelName = (typeof levelNames)[number]

export const isLevelName = (name: string | null): name is LevelName => levelNames.some(level => level === name)

export class LogLevels {
  readonly #base: Logger
  readonly #own = new Map<string, LevelName>()
  readonly #names = new Set<string>([ROOT])
  /** Of every logger that is used, worked out when a level changes. */
  readonly #effective = new Map<string, number>()

  /** `base` gets every line that passes. */
  constructor(base: Logger, root: LevelName = 'DEBUG') {
    this.#base = base
    this.#own.set(ROOT, root)
    this.#work()
  }

  get names(): readonly string[] {
    return [...this.#names]
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  /** The level in force. */
  of(name: string): LevelName {
    for (let at = name; ; at = at.slice(0, at.lastIndexOf('.'))) {
      const own = this.#own.get(at)
      if (own !== undefined) return own
      if (!at.includes('.')) return this.#own.get(ROOT)!
    }
  }

  set(name: string, level: LevelName): void {
    this.#own.set(name, level)
    this.#work()
  }

  /** Goes by the one above again; `root` keeps what it has. */
  unset(name: string): void {
    if (name !== ROOT) this.#own.delete(name)
    this.#work()
  }

  /** The logger of this name, which is known from now on. */
  logger(name: string): Logger {
    this.#names.add(name)
    this.#work()
    return this.#filtered(name, this.#base)
  }

  #work(): void {
    for (const name of this.#names) this.#effective.set(name, levelNames.indexOf(this.of(name)))
  }

  #filtered(name: string, base: Logger): Logger {
    const at = (level: LevelName, method: 'debug' | 'info' | 'warn' | 'error'): LogFunction => {
      const order = levelNames.indexOf(level)
      return (fields: object | string, message?: string) => {
        if (order < this.#effective.get(name)!) return
        if (typeof fields === 'string') base[method](fields)
        else base[method](fields, message ?? '')
      }
    }
    return {
      debug: at('DEBUG', 'debug'),
      info: at('INFO', 'info'),
      warn: at('WARN', 'warn'),
      error: at('ERROR', 'error'),
      child: bindings => this.#filtered(name, base.child(bindings)),
    }
  }
}
