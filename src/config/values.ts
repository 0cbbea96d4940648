// Texts to values and back, by the declaration of a key, with the rules of Kafka's ConfigDef.

import type { Key } from './key.ts'
import { LONG_MAX } from './key.ts'

/** A key or value that cannot be: one clear sentence that says what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const ranges = {
  short: [-(2n ** 15n), 2n ** 15n - 1n],
  int: [-(2n ** 31n), 2n ** 31n - 1n],
  long: [-(2n ** 63n), 2n ** 63n - 1n],
} as const
const kinds = { short: 'a 16-bit', int: 'a 32-bit', long: 'a 64-bit' } as const

/**
 * The value of a text. Surrounding white space does not count; lists are separated by commas.
 * @throws ConfigError `<name> must be …, but it is '…'`; the value of a secret key is not in the text
 */
export function parseValue(name: string, key: Key<unknown>, text: string): unknown {
  const trimmed = text.trim()
  const shown = key.secret ? '' : `, but it is '${shorten(trimmed)}'`
  const fail = (wanted: string): never => {
    throw new ConfigError(`${name} must be ${wanted}${shown}.`)
  }
  const value = parseType(key, trimmed, fail)
  checkRange(key, value, fail)
  return value
}

/**
 * Refuses a value that Kafka knows and this version does not serve yet.
 * @throws ConfigError `<name>=… is not available …`
 */
export function checkServed(name: string, key: Key<unknown>, value: unknown): void {
  if (key.notYet === undefined) return
  const parts = Array.isArray(value) ? (value as string[]) : [String(value)]
  if (!parts.some(part => key.notYet!.includes(part))) return
  throw new ConfigError(
    `${name}=${parts.join(',')} is not available in this version of Odradek yet; leave it at ${defaultText(key)}.`,
  )
}

function parseType(key: Key<unknown>, text: string, fail: (wanted: string) => never): unknown {
  switch (key.type) {
    case 'boolean':
      if (/^true$/i.test(text)) return true
      return /^false$/i.test(text) ? false : fail('true or false')
    case 'short':
    case 'int':
    case 'long': {
      const [least, most] = ranges[key.type]
      if (!/^[+-]?\d+$/.test(text)) return fail(`${kinds[key.type]} whole number`)
      const exact = BigInt(text.replace('+', ''))
      return exact >= least && exact <= most ? Number(exact) : fail(`${kinds[key.type]} whole number`)
    }
    case 'double': {
      const value = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN
      return Number.isFinite(value) ? value : fail('a number')
    }
    case 'list':
      return text === '' ? [] : text.split(/\s*,\s*/)
    case 'string':
    case 'class':
    case 'password':
      return text
  }
}

function checkRange(key: Key<unknown>, value: unknown, fail: (wanted: string) => never): void {
  if (typeof value === 'number' && value !== key.or) {
    if ((key.min !== undefined && value < key.min) || (key.max !== undefined && value > key.max)) fail(range(key))
  }
  if (typeof value === 'string') {
    if (key.nonEmpty === true && value === '') fail('a text that is not empty')
    if (key.values !== undefined && !oneOf(key, value)) fail(`one of ${key.values.join(', ')}`)
    if (key.pattern !== undefined && !key.pattern.matches.test(value)) fail(key.pattern.describe)
  }
  if (Array.isArray(value)) {
    const parts = value as string[]
    if (key.nonEmpty === true && parts.length === 0) fail('a list with at least one entry')
    if (parts.includes('')) fail('a list without empty entries')
    if (new Set(parts).size !== parts.length) fail('a list without repeated entries')
    if (key.values !== undefined && !parts.every(part => oneOf(key, part))) fail(`a list of ${key.values.join(', ')}`)
    if (key.pattern !== undefined && !key.pattern.matches.test(parts.join(','))) fail(key.pattern.describe)
  }
}

function oneOf(key: Key<unknown>, text: string): boolean {
  if (key.ignoreCase !== true) return key.values!.includes(text)
  return key.values!.some(value => value.toLowerCase() === text.toLowerCase())
}

/** The range of a number key in words, or '' when any number will do. */
export function range(key: Key<unknown>): string {
  const or = key.or === undefined ? '' : ` or ${key.or}`
  if (key.min !== undefined && key.max !== undefined) return `between ${number(key.min)} and ${number(key.max)}${or}`
  if (key.min !== undefined) return `at least ${number(key.min)}${or}`
  return key.max === undefined ? '' : `at most ${number(key.max)}${or}`
}

/** The text of a value as Kafka prints it (ConfigDef.convertToString); null stays null. */
export function formatValue(key: Key<unknown>, value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (Array.isArray(value)) return value.join(',')
  if (typeof value === 'number') return key.type === 'double' ? javaDouble(value) : number(value)
  // What is left is text or a boolean.
  return `${value as string | boolean}`
}

const defaultText = (key: Key<unknown>): string => formatValue(key, key.default) ?? 'its default'

// Longs beyond 2^53 are held as doubles; only the largest one is told apart, and printed as what it stands for.
const number = (value: number): string => (value === LONG_MAX ? '9223372036854775807' : String(value))

/** Double.toString of Java: always a decimal point, exponents from 10^7 up and below 10^-3. */
function javaDouble(value: number): string {
  const size = Math.abs(value)
  if (value === 0 || (size >= 1e-3 && size < 1e7)) return Number.isInteger(value) ? `${value}.0` : String(value)
  const [digits, exponent] = value.toExponential().split('e') as [string, string]
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`
}

const shorten = (text: string): string => (text.length <= 60 ? text : `${text.slice(0, 57)}...`)
