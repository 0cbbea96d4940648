// Where log lines go: JSON lines by pino, or short lines of text on a terminal. pino is loaded only when it is used.

import type { LogFunction, Logger } from '../runtime/log.ts'
import type { LogLevel } from './flags.ts'

/** JSON lines on stdout, written before the call returns, so that nothing is lost when the process ends. */
export async function jsonLogger(level: LogLevel): Promise<Logger> {
  const { destination, pino } = await import('pino')
  return pino<never>({ level, base: { pid: process.pid } }, destination({ dest: 1, sync: true }))
}

const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent']

/** `warn: message (key=value)`, one line each. */
export function textLogger(level: LogLevel, write: (line: string) => void, bindings: object = {}): Logger {
  const at = (name: LogLevel): LogFunction => {
    if (order.indexOf(name) < order.indexOf(level)) return () => undefined
    return (fields: object | string, message?: string) => {
      const more = typeof fields === 'string' ? {} : fields
      const text = typeof fields === 'string' ? fields : message
      write(`${name}: ${text ?? ''}${details({ ...bindings, ...more })}\n`)
    }
  }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: more => textLogger(level, write, { ...bindings, ...more }),
  }
}

function details(fields: object): string {
  const parts = Object.entries(fields).map(([name, value]: [string, unknown]) => `${name}=${show(value)}`)
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}

function show(value: unknown): string {
  if (value instanceof Error) return value.message
  return typeof value === 'string' ? value : JSON.stringify(value)
}
