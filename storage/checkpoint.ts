/**
 * The checkpoint files of a log directory (CheckpointFile.java, OffsetCheckpointFile.java), as text:
 *   a line with the version, 0; a line with the number of entries; one line per entry, `topic partition offset`
 * They are always replaced as a whole (Files.writeAtomic). An empty file has no entries.
 */
import { CorruptFileError } from './errors.ts'
import { partitionFolder } from './names.ts'

const VERSION = '0'

export interface PartitionOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** `recovery-point-`, `log-start-`, `replication-` or `cleaner-offset-checkpoint`. @throws CorruptFileError */
export function parseOffsetCheckpoint(data: Buffer, path: string): PartitionOffset[] {
  return parseCheckpoint(data, path).map(line => {
    const [topic, partition, offset, ...more] = line.split(/\s+/)
    const entry = { topic: topic ?? '', partition: integer(partition), offset: integer(offset) }
    if (entry.topic === '' || Number.isNaN(entry.partition) || Number.isNaN(entry.offset) || more.length > 0) {
      throw new CorruptFileError(path, `malformed line ${JSON.stringify(line)}`)
    }
    return entry
  })
}

export function formatOffsetCheckpoint(entries: readonly PartitionOffset[]): Buffer {
  return formatCheckpoint(entries.map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}`))
}

/** The entries by folder name (`topic-partition`). */
export function offsetsByFolder(entries: readonly PartitionOffset[]): Map<string, number> {
  return new Map(entries.map(({ topic, partition, offset }) => [partitionFolder(topic, partition), offset]))
}

/** The entry lines of any checkpoint file. @throws CorruptFileError */
export function parseCheckpoint(data: Buffer, path: string): string[] {
  const lines = data.toString('utf8').split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  const [version, count, ...entries] = lines
  if (version === undefined) return []
  if (version !== VERSION) throw new CorruptFileError(path, `unknown version ${JSON.stringify(version)}`)
  if (count === undefined) return []
  if (integer(count) !== entries.length) {
    throw new CorruptFileError(path, `${entries.length} entries where it says ${JSON.stringify(count)}`)
  }
  return entries
}

export function formatCheckpoint(lines: readonly string[]): Buffer {
  return Buffer.from([VERSION, lines.length, ...lines, ''].join('\n'))
}

/** A whole number that a double holds exactly, else NaN. */
export function integer(text: string | undefined): number {
  const value = text !== undefined && /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) ? value : Number.NaN
}
