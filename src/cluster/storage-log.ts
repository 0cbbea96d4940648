/** The metadata log as a partition log on a disk: the folder `__cluster_metadata-0` with `quorum-state` beside the segments. */
import type { Arena } from '../../storage/arena.ts'
import type { Files } from '../../storage/files.ts'
import { Log, type LogConfig } from '../../storage/log.ts'
import * as names from '../../storage/names.ts'
import type { MetadataLog, QuorumStateFile } from './metadata-log.ts'

/** Uuid.METADATA_TOPIC_ID. */
const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
const READ_BYTES = 1024 * 1024
/** KafkaRaftClient.MAX_BATCH_SIZE_BYTES, with room for the batch header. */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024 + 1024

/** Kafka's `metadata.log.segment.*`; nothing is deleted, for there are no snapshots yet to take its place. */
const config: LogConfig = {
  segmentBytes: 1024 * 1024 * 1024,
  segmentMs: 7 * 24 * 60 * 60 * 1000,
  segmentJitterMs: 0,
  segmentIndexBytes: 10 * 1024 * 1024,
  indexIntervalBytes: 4096,
  retentionMs: -1,
  retentionBytes: -1,
  maxMessageBytes: MAX_MESSAGE_BYTES,
  flushMessages: Number.MAX_SAFE_INTEGER,
  flushMs: Number.MAX_SAFE_INTEGER,
  fileDeleteDelayMs: 60_000,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
  compressionType: 'producer',
  cleanupPolicy: { compact: false, delete: false },
  producerIdExpirationMs: 24 * 60 * 60 * 1000,
  validateCompressed: false,
}

export interface MetadataLogOptions {
  readonly files: Files
  readonly arena: Arena
  /** Whether the directory was left in order, so that nothing need be scanned for a torn end. */
  readonly cleanShutdown: boolean
  /** Milliseconds. */
  readonly now: () => number
  /** Whether a commit reaches the disk, or the operating system alone (`odradek.flush.on.acks.all=false`). */
  readonly flush: boolean
  /** Told once, when the disk fails. */
  readonly onError?: (error: Error) => void
}

export interface StoredMetadataLog extends MetadataLog {
  readonly quorumState: QuorumStateFile
  /** As Log.close. */
  close(clean: boolean): Promise<void>
}

/** Opens the folder, creating it if need be. Throws what the disk throws, Error for a folder of another topic id. */
export function openMetadataLog({ files, arena, now, flush, ...o }: MetadataLogOptions): StoredMetadataLog {
  const log = Log.open({
    files,
    arena,
    topic: names.CLUSTER_METADATA_TOPIC,
    partition: 0,
    topicId: METADATA_TOPIC_ID,
    config,
    cleanShutdown: o.cleanShutdown,
    recoveryPoint: 0,
    logStartOffset: 0,
    now: now(),
    ...(o.onError === undefined ? {} : { onError: o.onError }),
  })
  const path = names.join(names.partitionFolder(log.topic, log.partition), names.QUORUM_STATE_FILE)
  return {
    quorumState: {
      read: () => (files.exists(path) ? files.readAll(path) : null),
      write: data => files.writeAtomic(path, data),
    },
    get startOffset() {
      return log.logStartOffset
    },
    get endOffset() {
      return log.logEndOffset
    },
    append: (bytes, leaderEpoch) => void log.append(bytes, { leaderEpoch, now: now(), origin: 'coordinator' }),
    commit: async () => {
      if (flush) await log.sync()
      else log.write()
    },
    read: () => readAll(log),
    close: clean => log.close(clean),
  }
}

function* readAll(log: Log): Generator<Buffer, void, undefined> {
  const maxOffset = log.logEndOffset
  for (let offset = log.logStartOffset; offset < maxOffset;) {
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
