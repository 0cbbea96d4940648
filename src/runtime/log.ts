// What the rest needs of a logger: a subset of pino's interface, so that a pino instance fits as it is.

export interface LogFunction {
  /** `fields` under the key `err` may hold an Error. */
  (fields: object, message: string): void
  (message: string): void
}

export interface Logger {
  debug: LogFunction
  info: LogFunction
  warn: LogFunction
  error: LogFunction
  /** A logger whose lines carry these fields too. */
  child(bindings: Record<string, unknown>): Logger
}

const nothing = () => undefined

export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger,
}

export interface LogLine {
  level: 'debug' | 'info' | 'warn' | 'error'
  fields: Record<string, unknown>
  message: string
}

/** A logger that keeps its lines, for tests. */
export function recordingLogger(lines: LogLine[] = [], bindings: Record<string, unknown> = {}): Logger {
  const at =
    (level: LogLine['level']) =>
    (fields: object | string, message = '') => {
      if (typeof fields === 'string') lines.push({ level, fields: { ...bindings }, message: fields })
      else lines.push({ level, fields: { ...bindings, ...fields }, message })
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: more => recordingLogger(lines, { ...bindings, ...more }),
  }
}
