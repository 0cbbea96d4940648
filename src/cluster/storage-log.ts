/**
 * The metadata log as a partition log on a disk: the folder `__cluster_metadata-0`, with snapshots and `quorum-state` beside
 * the segments. It starts with the newest snapshot that can be read and ends with the log behind it.
 */
import type { Arena } from '../../storage/arena.ts'
import type { Files } from '../../storage/files.ts'
import { Log, type LogConfig } from '../../storage/log.ts'
import * as names from '../../storage/names.ts'
import { MetadataReplayError } from './image.ts'
import type { MetadataLog, QuorumStateFile } from './metadata-log.ts'
import { loadSnapshots, planSnapshotRetention, SnapshotFolder, type LoadedSnapshots } from './snapshot-files.ts'
import { snapshotBatches, type SnapshotToWrite } from './snapshot.ts'

/** Uuid.METADATA_TOPIC_ID. */
const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
const READ_BYTES = 1024 * 1024
/** KafkaRaftClient.MAX_BATCH_SIZE_BYTES, with room for the batch header. */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024 + 1024

/** Kafka's keys of these names; -1 keeps everything. */
export interface MetadataLogSettings {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly retentionBytes: number
  readonly retentionMs: number
  readonly deleteDelayMs: number
}

export const defaultSettings: MetadataLogSettings = {
  segmentBytes: 1024 * 1024 * 1024,
  segmentMs: 7 * 24 * 60 * 60 * 1000,
  retentionBytes: 100 * 1024 * 1024,
  retentionMs: 7 * 24 * 60 * 60 * 1000,
  deleteDelayMs: 60_000,
}

/** The log itself keeps what no snapshot stands for; `applyRetention` moves its start. */
const logConfig = ({ segmentBytes, segmentMs, deleteDelayMs }: MetadataLogSettings): LogConfig => ({
  segmentBytes,
  segmentMs,
  segmentJitterMs: 0,
  segmentIndexBytes: 10 * 1024 * 1024,
  indexIntervalBytes: 4096,
  retentionMs: -1,
  retentionBytes: -1,
  maxMessageBytes: MAX_MESSAGE_BYTES,
  flushMessages: Number.MAX_SAFE_INTEGER,
  flushMs: Number.MAX_SAFE_INTEGER,
  fileDeleteDelayMs: deleteDelayMs,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
  compressionType: 'producer',
  cleanupPolicy: { compact: false, delete: false },
  deleteRetentionMs: 24 * 3600_000,
  minCompactionLagMs: 0,
  maxCompactionLagMs: 2 ** 63,
  minCleanableDirtyRatio: 0.5,
  producerIdExpirationMs: 24 * 60 * 60 * 1000,
  validateCompressed: false,
})

export interface MetadataLogOptions {
  readonly files: Files
  readonly arena: Arena
  /** Whether the directory was left in order, so that nothing need be scanned for a torn end. */
  readonly cleanShutdown: boolean
  /** Milliseconds. */
  readonly now: () => number
  /** Whether a commit reaches the disk, or the operating system alone (`odradek.flush.on.acks.all=false`). */
  readonly flush: boolean
  readonly settings?: MetadataLogSettings
  /**
   * Brings the names of partition folders to the disk, called before a snapshot is written: behind one nobody can tell the folder
   * of a deleted topic, whose new name a power cut took back, from one that belongs to nobody.
   */
  readonly syncFolders?: () => Promise<void>
  /** Called between the pieces of a snapshot, so that others get their turn; by default a turn of promises. */
  readonly pause?: () => Promise<void>
  /** Told once, when the disk fails. */
  readonly onError?: (error: Error) => void
}

export interface StoredMetadataLog extends MetadataLog {
  readonly quorumState: QuorumStateFile
  /** What was found wrong and is being worked around, one sentence each. */
  readonly warnings: readonly string[]
  writeSnapshot(snapshot: SnapshotToWrite): Promise<void>
  /** Deletes what retention gives up: old snapshots, and the log before the oldest one that is left. To be called now and then. */
  applyRetention(): void
  /** As Log.close. */
  close(clean: boolean): Promise<void>
}

/**
 * Opens the folder, creating it if need be. Throws what the disk throws, Error for a folder of another topic id,
 * MetadataReplayError where records are missing: between the snapshots that can be read and the log, or behind it.
 */
export function openMetadataLog(o: MetadataLogOptions): StoredMetadataLog {
  const { files, now } = o
  const folder = names.partitionFolder(names.CLUSTER_METADATA_TOPIC, 0)
  const loaded = loadSnapshots(files, folder)
  const log = Log.open({
    files,
    arena: o.arena,
    topic: names.CLUSTER_METADATA_TOPIC,
    partition: 0,
    topicId: METADATA_TOPIC_ID,
    config: logConfig(o.settings ?? defaultSettings),
    cleanShutdown: o.cleanShutdown,
    // What a snapshot stands for was on disk before it was: only the rest may be torn.
    recoveryPoint: loaded.files.at(-1)?.id.offset ?? 0,
    logStartOffset: 0,
    now: now(),
    ...(o.onError === undefined ? {} : { onError: o.onError }),
  })
  try {
    checkComplete(loaded, log.logStartOffset, log.logEndOffset)
    return new StoredLog(o, folder, log, loaded)
  } catch (error) {
    void log.close(false)
    throw error
  }
}

class StoredLog implements StoredMetadataLog {
  readonly quorumState: QuorumStateFile
  readonly snapshot: StoredMetadataLog['snapshot']
  readonly warnings: readonly string[]
  readonly #o: MetadataLogOptions
  readonly #settings: MetadataLogSettings
  readonly #log: Log
  readonly #snapshots: SnapshotFolder

  constructor(o: MetadataLogOptions, folder: string, log: Log, loaded: LoadedSnapshots) {
    const { files } = o
    this.#o = o
    this.#settings = o.settings ?? defaultSettings
    this.#log = log
    this.#snapshots = new SnapshotFolder(files, folder, loaded)
    const aside = this.#snapshots.tidy(loaded.damaged)
    this.warnings = loaded.damaged.map(
      ({ reason }, n) =>
        `A snapshot of the metadata cannot be read (${reason}): it was set aside as ${aside[n]}, and what it stood for was found in older ones and the log.`,
    )
    const id = loaded.files.at(-1)?.id
    this.snapshot = loaded.newest === null || id === undefined ? null : { ...loaded.newest, id }
    // As Kafka does after such a stop: the snapshot was durable, the log before it was not.
    if (id !== undefined && log.logEndOffset < id.offset) log.truncateFullyAndStartAt(id.offset, o.now())
    // As Kafka does (KafkaRaftLog.recoverSnapshots): what lies before the log is of no use, and retention goes from snapshot to
    // snapshot only where the log moves forward.
    this.#snapshots.deleteBefore(log.logStartOffset, o.now() + this.#settings.deleteDelayMs)
    const path = names.join(folder, names.QUORUM_STATE_FILE)
    this.quorumState = {
      read: () => (files.exists(path) ? files.readAll(path) : null),
      write: async data => {
        // It may tell of voters that a killed process left in the system's cache alone: they must not be lost when it is not.
        await log.sync()
        files.writeAtomic(path, data)
      },
    }
  }

  get endOffset(): number {
    return this.#log.logEndOffset
  }

  append(bytes: Buffer, leaderEpoch: number): void {
    this.#log.append(bytes, { leaderEpoch, now: this.#o.now(), origin: 'coordinator' })
  }

  async commit(): Promise<void> {
    if (this.#o.flush) await this.#log.sync()
    else this.#log.write()
  }

  read(): Iterable<Buffer> {
    return readFrom(this.#log, this.snapshot?.id.offset ?? this.#log.logStartOffset)
  }

  async writeSnapshot(snapshot: SnapshotToWrite): Promise<void> {
    const { now, pause = () => Promise.resolve() } = this.#o
    const { id, lastContainedTimestamp } = snapshot
    if (this.#snapshots.snapshots.some(({ id: { offset } }) => offset === id.offset)) return
    // The log may be cut once the snapshot is there; and a start trusts what lies before it.
    await this.#log.sync()
    await this.#o.syncFolders?.()
    await this.#snapshots.write(id, lastContainedTimestamp, snapshotBatches(snapshot, now()), pause)
    this.applyRetention()
  }

  applyRetention(): void {
    const log = this.#log
    if (log.offline !== null) return
    const now = this.#o.now()
    const { retentionBytes, retentionMs, deleteDelayMs } = this.#settings
    const { snapshots } = this.#snapshots
    const { logStartOffset, sizeInBytes: logSize } = log
    const facts = { snapshots, logStartOffset, logSize, retentionBytes, retentionMs, now }
    const count = planSnapshotRetention(facts, offset => sizeFrom(log, offset))
    if (count > 0) {
      const start = snapshots[count]!.id.offset
      log.advanceLogStartOffset(start)
      log.applyRetention(now)
      this.#snapshots.deleteBefore(start, now + deleteDelayMs)
    } else log.applyRetention(now)
    log.deletePendingFiles(now)
    this.#snapshots.deletePending(now)
  }

  close(clean: boolean): Promise<void> {
    return this.#log.close(clean)
  }
}

/** Of the segments that stay when the log starts at `offset`. */
const sizeFrom = (log: Log, offset: number): number => {
  const bounds = log.segmentBounds
  return bounds
    .filter((_, n) => (bounds[n + 1]?.baseOffset ?? Infinity) > offset)
    .reduce((sum, { size }) => sum + size, 0)
}

/** Throws MetadataReplayError unless the newest readable snapshot and the log make up everything there was. */
function checkComplete({ files, damaged }: LoadedSnapshots, logStart: number, logEnd: number): void {
  const from = files.at(-1)?.id.offset ?? 0
  const why = damaged.map(({ id, reason }) => `; the snapshot at ${id.offset} cannot be read: ${reason}`).join('')
  if (logStart > from)
    throw new MetadataReplayError(
      `the metadata log begins at offset ${logStart}, and no snapshot tells what was before${why}`,
    )
  const newest = damaged[0]?.id.offset ?? 0
  if (newest > Math.max(logEnd, from))
    throw new MetadataReplayError(`the metadata log ends at offset ${logEnd}, before its newest snapshot${why}`)
}

function* readFrom(log: Log, from: number): Generator<Buffer, void, undefined> {
  const maxOffset = log.logEndOffset
  for (let offset = from; offset < maxOffset;) {
    const found = log.read(offset, { maxBytes: READ_BYTES, maxOffset, minOneBatch: true })
    try {
      // A view of the log's buffers unless the batches lie in several.
      yield found.parts.length === 1 ? found.parts[0]! : Buffer.concat(found.parts)
    } finally {
      found.release()
    }
    if (found.nextOffset <= offset) throw new Error(`the metadata log cannot be read at offset ${offset}`)
    offset = found.nextOffset
  }
}
