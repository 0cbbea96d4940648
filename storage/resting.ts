/**
 * `.odradek_logs`: what an orderly stop leaves of each log, so that the next start need not look into the folders: they are
 * opened when somebody needs them. Text, like the checkpoint files:
 *   a line with the version, 0; a line with the broker epoch of the run that wrote it; one line per log,
 *   `topic partition topicId logStartOffset logEndOffset sizeInBytes segments oldestTimestamp`
 * It counts only beside a `.kafka_cleanshutdown` of the same broker epoch: nobody was here in between, Apache Kafka included.
 */
import { integer } from './checkpoint.ts'
import type { Files } from './files.ts'
import { readIfThere } from './log-folder.ts'
import { partitionFolder, RESTING_LOGS_FILE } from './names.ts'

/** A closed log. */
export interface RestingLog {
  readonly topicId: string
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly sizeInBytes: number
  readonly segmentCount: number
  /** Largest timestamp of the first segment: nothing is older than retention.ms before it is. */
  readonly oldestTimestamp: number
}

export interface RestingEntry extends RestingLog {
  readonly topic: string
  readonly partition: number
}

/** By folder name. None when the last run did not tell its broker epoch. */
export function readRestingLogs(files: Files, brokerEpoch: number): Map<string, RestingLog> {
  const data = brokerEpoch < 0 ? null : readIfThere(files, RESTING_LOGS_FILE)
  return (data && parseRestingLogs(data, brokerEpoch)) ?? new Map()
}

export function writeRestingLogs(
  files: Files,
  brokerEpoch: number,
  logs: Iterable<{ readonly topic: string; readonly partition: number; readonly resting?: RestingLog | null }>,
): void {
  if (brokerEpoch < 0) return
  const entries: RestingEntry[] = []
  for (const { topic, partition, resting } of logs) if (resting) entries.push({ topic, partition, ...resting })
  files.writeAtomic(RESTING_LOGS_FILE, formatRestingLogs(brokerEpoch, entries))
}

const VERSION = '0'

export function formatRestingLogs(brokerEpoch: number, logs: Iterable<RestingEntry>): Buffer {
  const lines = [VERSION, String(brokerEpoch)]
  for (const l of logs) {
    lines.push(
      `${l.topic} ${l.partition} ${l.topicId} ${l.logStartOffset} ${l.logEndOffset} ${l.sizeInBytes} ${l.segmentCount} ${l.oldestTimestamp}`,
    )
  }
  // Without its last line the file is cut off.
  return Buffer.from([...lines, String(lines.length - 2), ''].join('\n'))
}

/** By folder name. Null unless the file is whole and of that run: the folders tell everything, too. */
export function parseRestingLogs(data: Buffer, brokerEpoch: number): Map<string, RestingLog> | null {
  const lines = data.toString('latin1').split('\n')
  const count = lines.length - 4
  if (lines[0] !== VERSION || lines[1] !== String(brokerEpoch) || lines.at(-1) !== '') return null
  if (count < 0 || lines.at(-2) !== String(count)) return null
  const logs = new Map<string, RestingLog>()
  for (const line of lines.slice(2, 2 + count)) {
    const [topic, partition, topicId, ...fields] = line.split(' ')
    const numbers = fields.map(integer)
    const [logStartOffset, logEndOffset, sizeInBytes, segmentCount, oldestTimestamp] = numbers
    if (topicId === undefined || numbers.length !== 5 || numbers.some(Number.isNaN)) return null
    logs.set(partitionFolder(topic!, integer(partition)), {
      topicId,
      logStartOffset: logStartOffset!,
      logEndOffset: logEndOffset!,
      sizeInBytes: sizeInBytes!,
      segmentCount: segmentCount!,
      oldestTimestamp: oldestTimestamp!,
    })
  }
  return logs
}
