/**
 * Prints any file of a log directory as lines of text. Where Kafka's DumpLogSegments knows the format the lines are its own;
 * the small text files are printed as their fields. Readers throw CorruptFileError.
 */
import { parseCleanShutdown } from './clean-shutdown.ts'
import { parseOffsetCheckpoint } from './checkpoint.ts'
import type { Files } from './files.ts'
import { optionalLong, printLog } from './inspect-log.ts'
import type { LogPrintOptions } from './inspect-log.ts'
import { parseLeaderEpochs } from './leader-epochs.ts'
import { parseMetaProperties } from './meta-properties.ts'
import * as names from './names.ts'
import { parseOffsetIndex } from './offset-index.ts'
import { parsePartitionMetadata } from './partition-metadata.ts'
import { parseProducerSnapshot } from './producer-snapshot.ts'
import { parseQuorumState } from './quorum-state.ts'
import { parseTimeIndex } from './time-index.ts'
import { parseTxnIndex } from './txn-index.ts'

export type { ControlPrinter, LogPrintOptions, RecordPrinter } from './inspect-log.ts'

type Printer = (data: Buffer, path: string, baseOffset: number) => Iterable<string>

const printers: readonly [ending: string, Printer][] = [
  [
    names.OFFSET_INDEX_SUFFIX,
    (data, path, base) => parseOffsetIndex(data, base, path).map(e => `offset: ${e.offset} position: ${e.position}`),
  ],
  [
    names.TIME_INDEX_SUFFIX,
    (data, path, base) => parseTimeIndex(data, base, path).map(e => `timestamp: ${e.timestamp} offset: ${e.offset}`),
  ],
  [
    names.TXN_INDEX_SUFFIX,
    (data, path) =>
      parseTxnIndex(data, path).map(
        e =>
          `version: 0 producerId: ${e.producerId} firstOffset: ${e.firstOffset} lastOffset: ${e.lastOffset} lastStableOffset: ${e.lastStableOffset}`,
      ),
  ],
  [names.PRODUCER_SNAPSHOT_SUFFIX, printSnapshot],
  [
    names.LEADER_EPOCH_CHECKPOINT_FILE,
    (data, path) => parseLeaderEpochs(data, path).map(e => `epoch: ${e.epoch} startOffset: ${e.startOffset}`),
  ],
  [
    '-offset-checkpoint',
    (data, path) =>
      parseOffsetCheckpoint(data, path).map(e => `topic: ${e.topic} partition: ${e.partition} offset: ${e.offset}`),
  ],
  [names.PARTITION_METADATA_FILE, (data, path) => [`topicId: ${parsePartitionMetadata(data, path)}`]],
  [names.META_PROPERTIES_FILE, (data, path) => fields(parseMetaProperties(data, path))],
  [names.QUORUM_STATE_FILE, (data, path) => fields(parseQuorumState(data, path))],
  [names.CLEAN_SHUTDOWN_FILE, data => [`brokerEpoch: ${parseCleanShutdown(data)}`]],
]

/** Whether inspectFile can print a file of this name. Marked files (`.deleted`, `.swap`, `.cleaned`) print as what they are. */
export function isInspectable(path: string): boolean {
  const name = plainName(path)
  return isLog(name) || printers.some(([ending]) => name.endsWith(ending))
}

/**
 * The lines of one file, read as they are asked for where the file may be large.
 * @throws RangeError for a file of no format known, CorruptFileError, and file system errors
 */
export function* inspectFile(files: Files, path: string, options: LogPrintOptions = {}): Generator<string, void> {
  const name = plainName(path)
  const baseOffset = names.offsetOfFile(name) ?? 0
  if (isLog(name)) {
    yield firstLine(name, baseOffset)
    yield* printLog(files, path, options)
    return
  }
  const printer = printers.find(([ending]) => name.endsWith(ending))?.[1]
  if (printer === undefined) throw new RangeError(`${path}: not a file of a log directory`)
  yield* printer(files.readAll(path), path, baseOffset)
}

function isLog(name: string): boolean {
  return name.endsWith(names.LOG_SUFFIX) || name.endsWith(names.CHECKPOINT_SUFFIX)
}

function firstLine(name: string, baseOffset: number): string {
  if (name.endsWith(names.LOG_SUFFIX)) return `Log starting offset: ${baseOffset}`
  if (name === names.BOOTSTRAP_CHECKPOINT_FILE) return 'KRaft bootstrap snapshot'
  const [offset, epoch] = name.split(/[-.]/).map(Number)
  return `Snapshot end offset: ${offset}, epoch: ${epoch}`
}

/** File name without what marks it as waiting for something. */
function plainName(path: string): string {
  return names.nameOf(path).replace(/(\.deleted|\.cleaned|\.swap)$/, '')
}

/** The sequence fields are left out for a producer of which only a marker is known. */
function* printSnapshot(data: Buffer, path: string): Generator<string, void> {
  for (const e of parseProducerSnapshot(data, path)) {
    const open = optionalLong(e.currentTxnFirstOffset < 0 ? null : e.currentTxnFirstOffset)
    const producer = `producerId: ${e.producerId} producerEpoch: ${e.producerEpoch} coordinatorEpoch: ${e.coordinatorEpoch} currentTxnFirstOffset: ${open} lastTimestamp: ${e.timestamp}`
    const { lastSequence, offsetDelta } = e
    // Sequence numbers wrap at 2^31.
    const firstSequence =
      lastSequence >= offsetDelta ? lastSequence - offsetDelta : lastSequence - offsetDelta + 2 ** 31
    const batch = ` firstSequence: ${firstSequence} lastSequence: ${lastSequence} lastOffset: ${e.lastOffset} offsetDelta: ${offsetDelta} timestamp: ${e.timestamp}`
    yield e.lastOffset < 0 ? producer : producer + batch
  }
}

function fields(value: object): string[] {
  return Object.entries(value).map(([name, field]) => `${name}: ${Array.isArray(field) ? field.join(',') : field}`)
}
