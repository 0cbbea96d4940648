// Limits on connections that one listener has instead of the broker's: `listener.name.<name in small letters>.max.connections`
// and `…max.connection.creation.rate`. Kafka: SocketServer.scala (ListenerConnectionQuota), ListenerName.configPrefix.

import type { BrokerKeyName } from './keys.ts'
import { brokerKeys } from './keys.ts'
import { ConfigError, parseValue } from './values.ts'

export interface ListenerLimits {
  maxConnections?: number
  maxConnectionRate?: number
}

const fields = {
  'max.connections': 'maxConnections',
  'max.connection.creation.rate': 'maxConnectionRate',
} as const satisfies Partial<Record<BrokerKeyName, keyof ListenerLimits>>

/** The broker key that such a name is of; undefined: it is no such name. */
export function listenerKey(name: string): { listener: string; base: keyof typeof fields } | undefined {
  const [, listener, base] = /^listener\.name\.([^.]+)\.(.+)$/.exec(name) ?? []
  return base === undefined || !Object.hasOwn(fields, base)
    ? undefined
    : // A name of `fields`.
      { listener: listener!.toUpperCase(), base: base as keyof typeof fields }
}

/** @throws ConfigError */
export function listenerValue(name: string, base: keyof typeof fields, text: string): number {
  // The type that the key is declared with.
  const value = parseValue(name, brokerKeys[base], text) as number
  if (value < 1) throw new ConfigError(`${name} must be at least 1, but it is '${value}'.`)
  return value
}

/** By listener, in capitals, out of settings by name; those that come later win. */
export function listenerLimits(settings: Iterable<readonly [string, string]>): Map<string, ListenerLimits> {
  const limits = new Map<string, ListenerLimits>()
  for (const [name, text] of settings) {
    const key = listenerKey(name)
    if (key === undefined) continue
    const own = limits.get(key.listener) ?? {}
    own[fields[key.base]] = listenerValue(name, key.base, text)
    limits.set(key.listener, own)
  }
  return limits
}

/** Of settings those that are limits of listeners and can be read. */
export function readableListenerSettings(settings: Iterable<readonly [string, string]>): Map<string, string> {
  return new Map(
    [...settings].filter(([name, text]) => {
      const key = listenerKey(name)
      if (key === undefined) return false
      try {
        listenerValue(name, key.base, text)
        return true
      } catch (error) {
        if (error instanceof ConfigError) return false
        throw error
      }
    }),
  )
}
