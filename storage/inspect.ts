/**
 * Prints any file of a log directory as lines of text, or objects. Where Kafka's DumpLogSegments knows the format the lines are
 * its own; the small text files are printed as their fields. Readers throw CorruptFileError.
 */
import { parseCleanShutdown } from './clean-shutdown.ts'
import { parseOffsetCheckpoint } from './checkpoint.ts'
import { CorruptFileError } from './errors.ts'
import type { Files } from './files.ts'
import type { Entry } from './inspect-entry.ts'
import { offsetIndexEntries, timeIndexEntries } from './inspect-index.ts'
import type { IndexPrintOptions } from './inspect-index.ts'
import { logEntries, optionalLong } from './inspect-log.ts'
import type { LogPrintOptions } from './inspect-log.ts'
import { parseLeaderEpochs } from './leader-epochs.ts'
import { parseMetaProperties } from './meta-properties.ts'
import * as names from './names.ts'
import { parsePartitionMetadata } from './partition-metadata.ts'
import { parseProducerSnapshot } from './producer-snapshot.ts'
import { parseQuorumState } from './quorum-state.ts'
import { ABORTED_TXN_SIZE, parseTxnIndex } from './txn-index.ts'

export type { Entry } from './inspect-entry.ts'
export type { ControlPrinter, LogPrintOptions, RecordPrinter } from './inspect-log.ts'

export type InspectOptions = LogPrintOptions & IndexPrintOptions

/** One object for each thing in a small file, its fields in the order of the line. */
type Reader = (data: Buffer, path: string) => Iterable<{ readonly [name: string]: unknown }>

const readers: readonly [ending: string, type: string, Reader][] = [
  [names.TXN_INDEX_SUFFIX, 'aborted transaction', readTxnIndex],
  [names.PRODUCER_SNAPSHOT_SUFFIX, 'producer', readSnapshot],
  [
    names.LEADER_EPOCH_CHECKPOINT_FILE,
    'leader epoch',
    (data, path) => parseLeaderEpochs(data, path).map(e => ({ ...e })),
  ],
  ['-offset-checkpoint', 'checkpoint', (data, path) => parseOffsetCheckpoint(data, path).map(e => ({ ...e }))],
  [names.PARTITION_METADATA_FILE, 'partition', (data, path) => [{ topicId: parsePartitionMetadata(data, path) }]],
  [names.META_PROPERTIES_FILE, 'directory', (data, path) => fields(parseMetaProperties(data, path))],
  [names.QUORUM_STATE_FILE, 'quorum', (data, path) => fields(parseQuorumState(data, path))],
  [names.CLEAN_SHUTDOWN_FILE, 'clean shutdown', data => [{ brokerEpoch: parseCleanShutdown(data) }]],
]

/** Whether inspectFile can print a file of this name. Marked files (`.deleted`, `.swap`, `.cleaned`) print as what they are. */
export function isInspectable(path: string): boolean {
  const name = plainName(path)
  return (
    isLog(name) ||
    name.endsWith(names.OFFSET_INDEX_SUFFIX) ||
    name.endsWith(names.TIME_INDEX_SUFFIX) ||
    readers.some(([ending]) => name.endsWith(ending))
  )
}

/** The lines of one file: see inspectEntries. What cannot be read is a line, too. */
export function* inspectFile(files: Files, path: string, options: InspectOptions = {}): Generator<string, void> {
  for (const entry of inspectEntries(files, path, options)) {
    yield 'line' in entry ? entry.line : `${path}: ${entry.problem}`
  }
}

/**
 * The entries of one file, read as they are asked for where the file may be large.
 * @throws RangeError for a file of no format known, and file system errors
 */
export function* inspectEntries(files: Files, path: string, options: InspectOptions = {}): Generator<Entry, void> {
  const name = plainName(path)
  if (isLog(name)) {
    yield firstEntry(name, names.offsetOfFile(name) ?? 0)
    return yield* logEntries(files, path, options)
  }
  if (name.endsWith(names.OFFSET_INDEX_SUFFIX)) return yield* offsetIndexEntries(files, path, options)
  if (name.endsWith(names.TIME_INDEX_SUFFIX)) return yield* timeIndexEntries(files, path, options)
  const found = readers.find(([ending]) => name.endsWith(ending))
  if (found === undefined) throw new RangeError(`${path}: not a file of a log directory`)
  const [, type, read] = found
  try {
    for (const values of read(files.readAll(path), path)) {
      yield { line: lineOf(values), json: () => ({ type, ...values }) }
    }
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error
    yield { problem: error.message.slice(path.length + 2) }
  }
}

function isLog(name: string): boolean {
  return name.endsWith(names.LOG_SUFFIX) || name.endsWith(names.CHECKPOINT_SUFFIX)
}

function firstEntry(name: string, baseOffset: number): Entry {
  if (name.endsWith(names.LOG_SUFFIX)) {
    return { line: `Log starting offset: ${baseOffset}`, json: () => ({ type: 'log', baseOffset }) }
  }
  if (name === names.BOOTSTRAP_CHECKPOINT_FILE) {
    return { line: 'KRaft bootstrap snapshot', json: () => ({ type: 'bootstrap snapshot' }) }
  }
  const [endOffset, epoch] = name.split(/[-.]/).map(Number)
  return {
    line: `Snapshot end offset: ${endOffset}, epoch: ${epoch}`,
    json: () => ({ type: 'snapshot', endOffset, epoch }),
  }
}

/** File name without what marks it as waiting for something. */
function plainName(path: string): string {
  return names.nameOf(path).replace(/(\.deleted|\.cleaned|\.swap)$/, '')
}

/** Whole entries first: what is left of a torn one is said at the end. */
function* readTxnIndex(data: Buffer, path: string): Generator<{ readonly [name: string]: unknown }, void> {
  const exact = (at: number): number | string => {
    const value = data.readBigInt64BE(at)
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  }
  const whole = data.byteLength - (data.byteLength % ABORTED_TXN_SIZE)
  parseTxnIndex(data.subarray(0, whole), path)
  for (let at = 0; at < whole; at += ABORTED_TXN_SIZE) {
    const [producerId, firstOffset] = [exact(at + 2), exact(at + 10)]
    yield { version: 0, producerId, firstOffset, lastOffset: exact(at + 18), lastStableOffset: exact(at + 26) }
  }
  parseTxnIndex(data, path)
}

/** The sequence fields are left out for a producer of which only a marker is known. */
function* readSnapshot(data: Buffer, path: string): Generator<{ readonly [name: string]: unknown }, void> {
  for (const e of parseProducerSnapshot(data, path)) {
    const producer = {
      producerId: e.producerId,
      producerEpoch: e.producerEpoch,
      coordinatorEpoch: e.coordinatorEpoch,
      currentTxnFirstOffset: e.currentTxnFirstOffset < 0 ? null : e.currentTxnFirstOffset,
      lastTimestamp: e.timestamp,
    }
    const { lastSequence, lastOffset, offsetDelta, timestamp } = e
    // Sequence numbers wrap at 2^31.
    const firstSequence =
      lastSequence >= offsetDelta ? lastSequence - offsetDelta : lastSequence - offsetDelta + 2 ** 31
    yield lastOffset < 0 ? producer : { ...producer, firstSequence, lastSequence, lastOffset, offsetDelta, timestamp }
  }
}

const fields = (value: object): { readonly [name: string]: unknown }[] =>
  Object.entries(value).map(([name, field]) => ({ [name]: field as unknown }))

function lineOf(values: { readonly [name: string]: unknown }): string {
  return Object.entries(values)
    .map(([name, value]) => {
      const text = Array.isArray(value) ? value.join(',') : String(value)
      return `${name}: ${name === 'currentTxnFirstOffset' ? optionalLong(value as number | null) : text}`
    })
    .join(' ')
}
