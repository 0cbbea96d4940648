/**
 * Prints `.index` and `.timeindex` files and holds them against their log, entry by entry, as Kafka's DumpLogSegments does.
 * Everything that tool would give up at is a problem, and the next entry follows.
 */
import * as header from '../protocol/records/batch.ts'
import { describeBatches } from '../protocol/records/describe.ts'
import { RecordError } from '../protocol/records/error.ts'
import type { Files } from './files.ts'
import type { Entry, Findings } from './inspect-entry.ts'
import { asMagic2, exactLastOffset, firstOf, rawBatches } from './inspect-log.ts'
import * as names from './names.ts'
import { OFFSET_INDEX_ENTRY_SIZE } from './offset-index.ts'
import { TIME_INDEX_ENTRY_SIZE } from './time-index.ts'

export interface IndexPrintOptions {
  /** Nothing is printed but what is wrong. */
  readonly verifyOnly?: boolean
  /** Only the look that a start takes at an index, to decide whether it is built anew. */
  readonly sanityOnly?: boolean
  /** How far the end of a batch is looked for from where an index leads; default 5 MiB. */
  readonly maxMessageBytes?: number
  readonly findings?: Findings
  /** How messages name a file; default: by its path. */
  readonly shown?: (path: string) => string
}

interface Beside {
  readonly files: Files
  readonly path: string
  readonly baseOffset: number
  readonly log: string
  readonly shown: string
}

function beside(files: Files, path: string, options: IndexPrintOptions): Beside {
  const baseOffset = names.offsetOfFile(names.nameOf(path)) ?? 0
  const log = names.join(names.parentOf(path), names.logFile(baseOffset))
  return { files, path, baseOffset, log, shown: options.shown?.(path) ?? path }
}

export function* offsetIndexEntries(files: Files, path: string, options: IndexPrintOptions): Generator<Entry, void> {
  const index = beside(files, path, options)
  const data = files.readAll(path)
  const count = Math.floor(data.byteLength / OFFSET_INDEX_ENTRY_SIZE)
  if (count === 0) return yield said(`${index.shown} is empty.`)
  if (options.sanityOnly === true) {
    const last = data.readInt32BE((count - 1) * OFFSET_INDEX_ENTRY_SIZE)
    return yield sanity(index, data.byteLength % OFFSET_INDEX_ENTRY_SIZE === 0, last >= 0)
  }
  if (!files.exists(index.log)) return yield { problem: `there is no ${names.nameOf(index.log)} beside it` }
  for (let n = 0; n < count; n++) {
    const at = n * OFFSET_INDEX_ENTRY_SIZE
    const offset = index.baseOffset + data.readInt32BE(at)
    const position = data.readInt32BE(at + 4)
    // A crash of Apache Kafka leaves zeros behind the entries.
    if (n > 0 && offset === index.baseOffset) return
    const found = lastOffsetAt(index, position, options.maxMessageBytes ?? MAX_MESSAGE_BYTES)
    if (found === null) {
      yield { problem: `entry ${n} (offset ${offset}): no batch begins at ${position}`, position: at }
      continue
    }
    if (found !== BigInt(offset)) options.findings?.mismatch(BigInt(offset), found)
    if (options.verifyOnly !== true) {
      yield { line: `offset: ${offset} position: ${position}`, json: () => ({ type: 'index entry', offset, position }) }
    }
  }
}

const MAX_MESSAGE_BYTES = 5 * 1024 * 1024

function lastOffsetAt({ files, log }: Beside, position: number, maxMessageBytes: number): bigint | null {
  if (position < 0 || position > files.size(log)) return null
  const found = firstOf(rawBatches(files, log, position, position + maxMessageBytes))
  return found === null ? null : exactLastOffset(found.bytes)
}

export function* timeIndexEntries(files: Files, path: string, options: IndexPrintOptions): Generator<Entry, void> {
  const index = beside(files, path, options)
  const data = files.readAll(path)
  if (options.sanityOnly === true) {
    const last = data.byteLength - (data.byteLength % TIME_INDEX_ENTRY_SIZE) - TIME_INDEX_ENTRY_SIZE
    const rises = last < 0 || (data.readBigInt64BE(last) >= data.readBigInt64BE(0) && data.readInt32BE(last + 8) >= 0)
    return yield sanity(index, data.byteLength % TIME_INDEX_ENTRY_SIZE === 0, rises)
  }
  if (!files.exists(index.log)) return yield { problem: `there is no ${names.nameOf(index.log)} beside it` }
  const offsetsPath = path.replace(/\.timeindex$/, '.index')
  if (!files.exists(offsetsPath)) return yield { problem: `there is no ${names.nameOf(offsetsPath)} beside it` }
  const offsets = files.readAll(offsetsPath)
  let previous = -1n
  for (let at = 0; at + TIME_INDEX_ENTRY_SIZE <= data.byteLength; at += TIME_INDEX_ENTRY_SIZE) {
    const timestamp = data.readBigInt64BE(at)
    const offset = index.baseOffset + data.readInt32BE(at + 8)
    if (at > 0 && offset === index.baseOffset) return
    const problem = checkTime(index, offsets, timestamp, offset, previous, options.findings)
    if (problem !== null) yield { problem: `entry ${at / TIME_INDEX_ENTRY_SIZE}: ${problem}`, position: at }
    else if (options.verifyOnly !== true) {
      yield {
        line: `timestamp: ${timestamp} offset: ${offset}`,
        json: () => ({ type: 'time index entry', timestamp: Number(timestamp), offset }),
      }
    }
    previous = timestamp
  }
}

/** The position of the last entry at or before an offset, searched for as Kafka does: in a damaged file any may be found. */
function lookup(data: Buffer, relative: number): number {
  const offset = (n: number): number => data.readInt32BE(n * OFFSET_INDEX_ENTRY_SIZE)
  const search = (from: number, to: number): number => {
    let [low, high] = [from, to]
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (offset(middle) > relative) high = middle - 1
      else if (offset(middle) < relative) low = middle
      else return middle
    }
    return low
  }
  const last = Math.floor(data.byteLength / OFFSET_INDEX_ENTRY_SIZE) - 1
  if (last < 0) return 0
  // Most look-ups are for the tail, which it keeps at hand.
  const warm = Math.max(0, last - 1024)
  if (offset(warm) < relative) return positionOf(data, search(warm, last))
  return offset(0) > relative ? 0 : positionOf(data, search(0, warm))
}

const positionOf = (data: Buffer, n: number): number => data.readInt32BE(n * OFFSET_INDEX_ENTRY_SIZE + 4)

/** Looks for the batch that ends with the offset, and at its greatest timestamp. @returns what stops Kafka's tool */
function checkTime(
  { files, log, baseOffset }: Beside,
  offsets: Buffer,
  timestamp: bigint,
  offset: number,
  previous: bigint,
  findings: Findings | undefined,
): string | null {
  const position = lookup(offsets, offset - baseOffset)
  const wanted = BigInt(offset)
  if (position < 0 || position > files.size(log)) return `the offset index says ${position} for offset ${offset}`
  for (const { bytes } of rawBatches(files, log, position)) {
    const last = exactLastOffset(bytes)
    if (last < wanted) continue
    if (last !== wanted) {
      findings?.offsetNotFound(wanted, last)
      return null
    }
    const greatest = greatestTimestamp(asMagic2(bytes))
    if (typeof greatest === 'string') return greatest
    if (greatest !== timestamp) findings?.timestampMismatch(timestamp, greatest)
    if (previous >= timestamp) findings?.disorder(timestamp, previous)
    return null
  }
  findings?.offsetNotFound(wanted, -1n)
  return null
}

function greatestTimestamp(bytes: Buffer): bigint | string {
  try {
    let greatest = -1n
    for (const batch of describeBatches(bytes)) {
      for (const { timestamp } of batch.records) if (BigInt(timestamp) > greatest) greatest = BigInt(timestamp)
    }
    return greatest
  } catch (error) {
    if (error instanceof RecordError) return `batch of offset ${header.baseOffset(bytes, 0)}: ${error.message}`
    throw error
  }
}

const said = (line: string): Entry => ({ line, json: () => ({ type: 'note', text: line }) })

/** The little that a start of Apache Kafka looks at to decide whether an index must be built anew. */
function sanity({ shown }: Beside, isWhole: boolean, rises: boolean): Entry {
  if (!isWhole) return { problem: 'sanity check: its size holds no whole number of entries' }
  return rises ? said(`${shown} passed sanity check.`) : { problem: 'sanity check: its last entry is below the first' }
}
