/**
 * Checks every file of a partition's folder: batches and records of the log, what the indexes say of it, and that the small
 * files can be read. Reads each log once; memory does not grow with it.
 */
import { RecordError } from '../protocol/records/error.ts'
import * as header from '../protocol/records/batch.ts'
import { newWalkResult, RecordCursor, walkBatch, walkMessage } from '../protocol/records/record.ts'
import { CorruptFileError } from './errors.ts'
import type { Files } from './files.ts'
import { inspectFile, isInspectable } from './inspect.ts'
import { batchesOfFile, isValidBatch } from './inspect-log.ts'
import * as names from './names.ts'
import { parseOffsetIndex } from './offset-index.ts'
import { parseTimeIndex } from './time-index.ts'

/**
 * One sentence for each thing that is wrong; empty when all is well. Needs codecReady(4) for batches in zstd.
 * @param folder '' is the log directory itself: its small files
 */
export function verifyFolder(files: Files, folder: string): string[] {
  const problems: string[] = []
  let lastOffset = -1
  for (const name of files.list(folder)) {
    const path = names.join(folder, name)
    if (!isInspectable(path)) continue
    const baseOffset = names.offsetOfFile(name)
    try {
      if (name.endsWith(names.LOG_SUFFIX)) {
        if (baseOffset !== null) lastOffset = verifySegment(files, folder, baseOffset, lastOffset, problems)
      } else if (!name.endsWith(names.CHECKPOINT_SUFFIX)) {
        // Printing reads all of it; these files are small.
        Array.from(inspectFile(files, path))
      }
    } catch (error) {
      if (!(error instanceof CorruptFileError)) throw error
      problems.push(error.message)
    }
  }
  return problems
}

/** @returns the last offset of the segment, or `previous` when it is empty */
function verifySegment(files: Files, folder: string, baseOffset: number, previous: number, problems: string[]): number {
  const path = names.join(folder, names.logFile(baseOffset))
  const offsets = readIndex(files, names.join(folder, names.offsetIndexFile(baseOffset)), baseOffset, parseOffsetIndex)
  const times = readIndex(files, names.join(folder, names.timeIndexFile(baseOffset)), baseOffset, parseTimeIndex)
  let last = Math.max(previous, baseOffset - 1)
  let nextOffsetEntry = 0
  let nextTimeEntry = 0
  const batches = batchesOfFile(files, path)
  for (;;) {
    const next = batches.next()
    if (next.done === true) {
      if (next.value > 0) problems.push(`${path}: ${next.value} bytes behind the last batch are none`)
      break
    }
    const { bytes, position } = next.value
    const found = batchProblem(bytes, last)
    if (found !== null) problems.push(`${path}: batch at ${position}: ${found}`)
    const { lastOffset, maxTimestamp } = endOf(bytes)
    last = Math.max(last, lastOffset)
    for (let entry = offsets[nextOffsetEntry]; entry !== undefined && entry.position <= position;) {
      if (entry.position < position || entry.offset !== lastOffset) {
        problems.push(
          `${path}: the index says offset ${entry.offset} at ${entry.position}, where no batch ends with it`,
        )
      }
      entry = offsets[++nextOffsetEntry]
    }
    for (let entry = times[nextTimeEntry]; entry !== undefined && entry.offset <= lastOffset;) {
      if (entry.offset !== lastOffset || entry.timestamp !== maxTimestamp) {
        problems.push(`${path}: the time index says ${entry.timestamp} for offset ${entry.offset}, the log does not`)
      }
      entry = times[++nextTimeEntry]
    }
  }
  if (nextOffsetEntry < offsets.length || nextTimeEntry < times.length) {
    problems.push(`${path}: index entries lie behind the end of the log`)
  }
  return last
}

function readIndex<E>(
  files: Files,
  path: string,
  baseOffset: number,
  parse: (data: Buffer, baseOffset: number, path: string) => E[],
): E[] {
  return files.exists(path) ? parse(files.readAll(path), baseOffset, path) : []
}

function endOf(bytes: Buffer): { lastOffset: number; maxTimestamp: number } {
  if (header.magic(bytes, 0) === 2) {
    return { lastOffset: header.lastOffset(bytes, 0), maxTimestamp: header.maxTimestamp(bytes, 0) }
  }
  return {
    lastOffset: header.baseOffset(bytes, 0),
    maxTimestamp: header.magic(bytes, 0) === 1 ? header.readInt64(bytes, 18) : -1,
  }
}

/** What is wrong with the batch at 0, which must begin behind `last`. */
function batchProblem(bytes: Buffer, last: number): string | null {
  if (!isValidBatch(bytes)) return 'its checksum is wrong'
  if (header.magic(bytes, 0) !== 2) return null
  if (header.baseOffset(bytes, 0) <= last)
    return `it begins at offset ${header.baseOffset(bytes, 0)}, not behind ${last}`
  if (header.codec(bytes, 0) === 0 && header.recordCount(bytes, 0) > 0) {
    const result = newWalkResult()
    // Compaction leaves gaps.
    return walkBatch(bytes, 0, result, { gaps: true }) === 'OK' ? null : walkMessage(result)
  }
  try {
    for (const cursor = new RecordCursor(bytes); cursor.next();) continue
    return null
  } catch (error) {
    if (error instanceof RecordError) return error.message
    throw error
  }
}
