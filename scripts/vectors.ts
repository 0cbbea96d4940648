// Checks the codec against wire vectors: `npm run vectors -- DIR`. Every .jsonl and .jsonl.gz below DIR holds one
// message a line, {v, kind, json, hex, prefix?}; the file's name says which message. A line passes when decode(hex)
// equals json and encode(json) equals hex, in exact mode and in number mode; in number mode an int64 that a double
// cannot hold must be refused. Ends with "N passed, N failed, N skipped"; exit code 1 if any failed.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { gunzipSync } from 'node:zlib'
import type { InputOf, Message } from '../protocol/api.ts'
import { decode, encode } from '../protocol/compile.ts'
import { fromJson, toJson, type Json } from '../protocol/json.ts'
import { DecodeError, Reader } from '../protocol/reader.ts'
import { codecReady, ZSTD } from '../protocol/records/compression.ts'
import * as batch from '../protocol/records/batch.ts'
import { describeBatches, encodeDescribed, type DescribedBatch } from '../protocol/records/describe.ts'
import { messageByName } from '../protocol/registry.ts'
import type { Shape } from '../protocol/schema.ts'
import {
  groupCoordinatorRecords,
  metadataRecords,
  shareCoordinatorRecords,
  transactionCoordinatorRecords,
} from '../protocol/state/index.ts'
import { EncodeError, Writer } from '../protocol/writer.ts'

export interface Vector {
  readonly v: number
  readonly kind: 'default' | 'random' | 'tags' | 'batch'
  readonly json: Json
  readonly hex: string
  readonly prefix?: string
  /** In files that hold several messages; else the file's name says it. */
  readonly message?: string
}

/** A vector that does not hold. */
class Mismatch extends Error {}

const shorten = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text)

function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return
  throw new Mismatch(`${what}: ${shorten(JSON.stringify(actual))} instead of ${shorten(JSON.stringify(expected))}`)
}

/** Files of vectors below a folder, sorted. */
export function vectorFiles(dir: string): string[] {
  const entries = readdirSync(dir, { withFileTypes: true, recursive: true })
  return entries
    .filter(entry => entry.isFile() && /\.jsonl(\.gz)?$/.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .toSorted()
}

export function readVectors(path: string): Vector[] {
  const bytes = readFileSync(path)
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  // A String.split at every kind of line end would also split at U+2028 inside strings.
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Vector)
}

/** 00-Produce.request -> ProduceRequest, 01-OffsetCommitKey -> OffsetCommitKey, EndTxnMarker -> itself. */
export function messageNameOf(path: string): string {
  const name = basename(path)
    .replace(/\.jsonl(\.gz)?$/, '')
    .replace(/^\d+-/, '')
  return name.replace(/\.(request|response)$/, (_, type: string) => (type === 'request' ? 'Request' : 'Response'))
}

const int16Hex = (value: number): string => (value & 0xffff).toString(16).padStart(4, '0')

/** What stands before a message where it is stored: see state/versioned.ts, coordinator-record.ts, metadata-record.ts. */
function prefixOf(message: Message<Shape>, version: number): string {
  const coordinator = [...groupCoordinatorRecords, ...transactionCoordinatorRecords, ...shareCoordinatorRecords]
  const key = coordinator.find(record => record.key === message)
  if (key) return int16Hex(key.type)
  const metadata = Object.values(metadataRecords).find(record => record.message === message)
  if (!metadata) return int16Hex(version)
  const writer = new Writer()
  for (const number of [1, metadata.type, version]) writer.uvarint(number)
  return writer.toBuffer().toString('hex')
}

function checkDecode(message: Message<Shape>, { v, json, hex }: Vector, exact: boolean): void {
  const reader = new Reader(Buffer.from(hex, 'hex'))
  const value = decode(message, v, reader, { exact })
  reader.expectEnd()
  expectEqual(exact ? 'decoded' : 'decoded in number mode', toJson(message, v, value), json)
}

function checkEncode(message: Message<Shape>, { v, json, hex }: Vector, exact: boolean): void {
  const value = fromJson(message, json, exact)
  for (const strict of [false, true]) {
    const writer = new Writer()
    encode(message, v, value as InputOf<Message<Shape>>, writer, { exact, strict })
    expectEqual(exact ? 'encoded' : 'encoded in number mode', writer.toBuffer().toString('hex'), hex)
  }
}

/** True if number mode holds every int64 of the vector. */
function isHeld(message: Message<Shape>, json: Json): boolean {
  try {
    fromJson(message, json)
    return true
  } catch (error) {
    if (error instanceof EncodeError) return false
    throw error
  }
}

function expectRefusal(message: Message<Shape>, { v, hex }: Vector): void {
  try {
    decode(message, v, new Reader(Buffer.from(hex, 'hex')))
  } catch (error) {
    if (error instanceof DecodeError) return
    throw error
  }
  throw new Mismatch('number mode took an int64 that it cannot hold')
}

/** Throws where the vector does not hold. */
export function checkMessage(message: Message<Shape>, vector: Vector): void {
  checkDecode(message, vector, true)
  const encodable = vector.kind !== 'tags'
  if (encodable) checkEncode(message, vector, true)
  if (isHeld(message, vector.json)) {
    checkDecode(message, vector, false)
    if (encodable) checkEncode(message, vector, false)
  } else expectRefusal(message, vector)
  if (vector.prefix !== undefined) expectEqual('prefix', prefixOf(message, vector.v), vector.prefix)
}

/** Record batches: read as Kafka reads them; uncompressed ones of format 2 also written. */
export function checkBatches({ json, hex }: Vector): void {
  const { batches } = json as unknown as { batches: DescribedBatch[] }
  const bytes = Buffer.from(hex, 'hex')
  expectEqual('decoded', describeBatches(bytes), batches)
  if (batches.every(b => b.magic === 2)) {
    for (const at of batch.batchesOf(bytes)) {
      if (!batch.isCrcValid(bytes, at)) throw new Mismatch(`wrong CRC of the batch at ${at}`)
    }
    if (batches.every(b => b.compression === 'none')) {
      expectEqual('encoded', encodeDescribed(batches).toString('hex'), hex)
    }
  }
}

export interface Totals {
  passed: number
  failed: number
  skipped: number
}

/** Checks every vector of one file; `report` hears of each that fails. Files of messages not defined are skipped. */
export function checkFile(path: string, totals: Totals, report: (line: string) => void): void {
  readVectors(path).forEach((vector, index) => {
    const name = vector.message ?? messageNameOf(path)
    const message = messageByName(name)
    if (!message && vector.kind !== 'batch') {
      totals.skipped++
      return
    }
    try {
      if (vector.kind === 'batch') checkBatches(vector)
      else checkMessage(message!, vector)
      totals.passed++
    } catch (error) {
      totals.failed++
      const why = error instanceof Mismatch ? error.message : String((error as Error).stack ?? error)
      report(`${path}:${index + 1} ${name} v${vector.v} ${vector.kind}: ${why}`)
    }
  })
}

async function main(dir: string | undefined): Promise<number> {
  if (dir === undefined) {
    console.error('usage: npm run vectors -- DIR')
    return 1
  }
  await codecReady(ZSTD)
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 }
  const skippedFiles: string[] = []
  for (const path of vectorFiles(dir)) {
    const before = totals.skipped
    checkFile(path, totals, line => console.log(line))
    if (totals.skipped > before) skippedFiles.push(relative(dir, path))
  }
  if (skippedFiles.length > 0) console.log(`not defined here: ${skippedFiles.join(', ')}`)
  console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
  return totals.failed > 0 || totals.passed === 0 ? 1 : 0
}

if (process.argv[1]?.endsWith('vectors.ts')) process.exitCode = await main(process.argv[2])
