// Answers as plain JSON that can be compared and kept: record bytes become batches with their records, bytes become
// text, lists whose elements have names become objects, and lists without an order are sorted.
import type { Records } from '../../protocol/schema.ts'
import * as batch from '../../protocol/records/batch.ts'
import { readMessageSet } from '../../protocol/records/legacy.ts'
import { RecordError } from '../../protocol/records/error.ts'
import { decodeRecords } from '../../protocol/records/record.ts'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** Lists that clients read by position; every other list of objects is a set. */
const inOrder = new Set(['synonyms', 'batches', 'records', 'headers'])
/** Lists that become objects, by the field that names their elements. */
const keyed: Readonly<Record<string, string>> = {
  configs: 'name',
  apiKeys: 'apiKey',
  supportedFeatures: 'name',
  finalizedFeatures: 'name',
}

/** Plain JSON of a decoded answer. */
export function readable(value: unknown): Json {
  return convert(value, '')
}

function convert(value: unknown, name: string): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') {
    return value
  }
  if (value === undefined) return '(nothing)'
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return bytes(value)
  if (Array.isArray(value)) return list(value, name)
  if (isRecords(value)) {
    const found = batches(Buffer.concat(value.parts))
    // Compressors differ, so the size says nothing where one was at work.
    const plain = found.every(of => typeof of === 'object' && of !== null && ('size' in of || 'partialBytes' in of))
    return { ...(plain && { byteLength: value.byteLength }), batches: found }
  }
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, convert(of, key)]))
}

function list(values: readonly unknown[], name: string): Json {
  const converted = values.map(value => convert(value, ''))
  const key = keyed[name]
  if (key !== undefined) {
    const entries = converted.map(value => [nameOf((value as Record<string, Json>)[key]), value] as const)
    // A name given twice would vanish in an object.
    if (new Set(entries.map(([of]) => of)).size === entries.length) {
      return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
    }
  }
  if (inOrder.has(name) || converted.some(value => typeof value !== 'object')) return converted
  return converted
    .map(value => ({ value, by: sortKey(value) }))
    .sort((a, b) => (a.by < b.by ? -1 : a.by > b.by ? 1 : 0))
    .map(({ value }) => value)
}

export const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

const nameOf = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value))

const names = ['name', 'topic', 'groupId', 'key', 'index', 'partitionIndex', 'groupInstanceId']

function sortKey(value: Json): string {
  const name = names.map(of => JSON.stringify((value as Record<string, Json>)[of] ?? null).padStart(12))
  return `${name.join()} ${withoutIds(JSON.stringify(value))}`
}

/** What a broker chose itself must not decide the order. */
const withoutIds = (json: string): string =>
  json.replaceAll(UUID, '').replaceAll(/"(topicId|producerId|port)":("[^"]*"|-?\d+)/g, '')

const isRecords = (value: object): value is Records => 'parts' in value && 'byteLength' in value

/** Printable text as it is, anything else in hexadecimal. */
export function bytes(value: Uint8Array): string {
  const buffer = Buffer.from(value)
  const text = buffer.toString('latin1')
  return /^[\x20-\x7e]*$/.test(text) ? text : `0x${buffer.toString('hex')}`
}

const textOrNull = (value: Uint8Array | null): string | null => (value === null ? null : bytes(value))

function batches(buffer: Buffer): Json[] {
  const found: Json[] = []
  let at = 0
  for (;;) {
    const size = batch.wholeBatchSize(buffer, at)
    if (size === null) break
    found.push(batch.magic(buffer, at) < 2 ? messageSet(buffer, at, size) : wholeBatch(buffer, at, size))
    at += size
  }
  if (at < buffer.length) found.push({ partialBytes: buffer.length - at })
  return found
}

function wholeBatch(buffer: Buffer, at: number, size: number): Json {
  const codec = batch.codec(buffer, at)
  return {
    baseOffset: batch.baseOffset(buffer, at),
    lastOffset: batch.lastOffset(buffer, at),
    ...(codec === 0 && { size }),
    leaderEpoch: batch.partitionLeaderEpoch(buffer, at),
    magic: batch.magic(buffer, at),
    attributes: batch.attributes(buffer, at),
    crcValid: batch.isCrcValid(buffer, at),
    baseTimestamp: batch.baseTimestamp(buffer, at),
    maxTimestamp: batch.maxTimestamp(buffer, at),
    producerId: batch.producerId(buffer, at),
    producerEpoch: batch.producerEpoch(buffer, at),
    baseSequence: batch.baseSequence(buffer, at),
    records: recordsOf(buffer, at),
  }
}

function recordsOf(buffer: Buffer, at: number): Json {
  try {
    return decodeRecords(buffer, at).map(({ offset, timestamp, key, value, headers }) => ({
      offset,
      timestamp,
      key: textOrNull(key),
      value: textOrNull(value),
      headers: headers.map(header => ({ key: header.key, value: textOrNull(header.value) })),
    }))
  } catch (error) {
    // A broker may have taken a batch whose records nobody can read; both must have done so.
    if (!(error instanceof RecordError)) throw error
    return `unreadable: ${error.code}`
  }
}

function messageSet(buffer: Buffer, at: number, size: number): Json {
  const [only] = readMessageSet(buffer, at, at + size)
  if (only === undefined) return { partialBytes: size }
  return {
    lastOffset: only.lastOffset,
    magic: only.magic,
    attributes: only.attributes,
    timestampType: only.timestampType,
    maxTimestamp: only.maxTimestamp,
    ...(only.codec === 0 && { size }),
    records: only.messages.map(({ offset, timestamp, key, value }) => ({
      offset,
      timestamp,
      key: textOrNull(key),
      value: textOrNull(value),
    })),
  }
}
