/**
 * Prints `.index` and `.timeindex` files and holds them against their log, entry by entry, as Kafka's DumpLogSegments does.
 * Everything that tool would give up at is a problem, and the next entry follows.
 */
import * as header from '../protocol/records/batch.ts'
import { describeBatches } from '../protocol/records/describe.ts'
import { RecordError } from '../protocol/records/error.ts'
import { lastOffsetOf } from './batch-cursor.ts'
import { CorruptFileError } from './errors.ts'
import type { Files } from './files.ts'
import type { Entry, Findings } from './inspect-entry.ts'
import { batchesOfFile } from './inspect-log.ts'
import * as names from './names.ts'
import { OFFSET_INDEX_ENTRY_SIZE, OffsetIndex } from './offset-index.ts'
import { TIME_INDEX_ENTRY_SIZE, TimeIndex } from './time-index.ts'

export interface IndexPrintOptions {
  /** Nothing is printed but what is wrong. */
  readonly verifyOnly?: boolean
  /** Only the look that a start takes at an index, to decide whether it is built anew. */
  readonly sanityOnly?: boolean
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
    return yield sanity(index, () => {
      const read = new OffsetIndex(files, path, index.baseOffset, Infinity)
      try {
        read.sanityCheck()
      } finally {
        read.release()
      }
    })
  }
  if (!files.exists(index.log)) return yield { problem: `there is no ${names.nameOf(index.log)} beside it` }
  for (let n = 0; n < count; n++) {
    const at = n * OFFSET_INDEX_ENTRY_SIZE
    const offset = index.baseOffset + data.readInt32BE(at)
    const position = data.readInt32BE(at + 4)
    // A crash of Apache Kafka leaves zeros behind the entries.
    if (n > 0 && offset === index.baseOffset) return
    const found = lastOffsetAt(index, position)
    if (found === null) {
      yield { problem: `entry ${n} (offset ${offset}): no batch begins at ${position}`, position: at }
      continue
    }
    if (found !== offset) options.findings?.mismatch(offset, found)
    if (options.verifyOnly !== true) {
      yield { line: `offset: ${offset} position: ${position}`, json: () => ({ type: 'index entry', offset, position }) }
    }
  }
}

function lastOffsetAt({ files, log }: Beside, position: number): number | null {
  if (position < 0 || position > files.size(log)) return null
  const next = batchesOfFile(files, log, position).next()
  return next.done === true ? null : lastOffsetOf(next.value.bytes, 0)
}

export function* timeIndexEntries(files: Files, path: string, options: IndexPrintOptions): Generator<Entry, void> {
  const index = beside(files, path, options)
  const data = files.readAll(path)
  if (options.sanityOnly === true) {
    return yield sanity(index, () => {
      const read = new TimeIndex(files, path, index.baseOffset, Infinity)
      try {
        read.sanityCheck()
      } finally {
        read.release()
      }
    })
  }
  if (!files.exists(index.log)) return yield { problem: `there is no ${names.nameOf(index.log)} beside it` }
  const offsets = new OffsetIndex(files, path.replace(/\.timeindex$/, '.index'), index.baseOffset, Infinity)
  try {
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
  } finally {
    offsets.release()
  }
}

/** Looks for the batch that ends with the offset, and at its greatest timestamp. @returns what stops Kafka's tool */
function checkTime(
  { files, log }: Beside,
  offsets: OffsetIndex,
  timestamp: bigint,
  offset: number,
  previous: bigint,
  findings: Findings | undefined,
): string | null {
  const { position } = offsets.lookup(offset)
  if (position < 0 || position > files.size(log)) return `the offset index says ${position} for offset ${offset}`
  for (const { bytes } of batchesOfFile(files, log, position)) {
    const last = lastOffsetOf(bytes, 0)
    if (last < offset) continue
    if (last !== offset) {
      findings?.offsetNotFound(offset, last)
      return null
    }
    const greatest = greatestTimestamp(bytes)
    if (typeof greatest === 'string') return greatest
    if (greatest !== timestamp) findings?.timestampMismatch(timestamp, greatest)
    if (previous >= timestamp) findings?.disorder(timestamp, previous)
    return null
  }
  findings?.offsetNotFound(offset, -1)
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

function sanity({ shown, path }: Beside, check: () => void): Entry {
  try {
    check()
    return said(`${shown} passed sanity check.`)
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error
    return { problem: `sanity check: ${error.message.slice(path.length + 2)}` }
  }
}
