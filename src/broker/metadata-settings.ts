// What the configuration says of the metadata log, and the clock by which it is tended: segments are rolled, a snapshot is
// written when time asks for one, and what retention gives up is deleted.
import type { Metadata } from '../cluster/metadata.ts'
import type { SnapshotRules } from '../cluster/snapshotter.ts'
import type { MetadataLogSettings, StoredMetadataLog } from '../cluster/storage-log.ts'
import type { BrokerConfig } from '../config/index.ts'
import type { Runtime, Timer } from '../runtime/index.ts'

/** RaftMetadataLogCleanerManager: Kafka looks this often. */
const TEND_MS = 60_000

export const metadataLogSettings = (config: BrokerConfig): MetadataLogSettings => ({
  segmentBytes: config['internal.metadata.log.segment.bytes'] ?? config['metadata.log.segment.bytes'],
  segmentMs: config['metadata.log.segment.ms'],
  retentionBytes: config['metadata.max.retention.bytes'],
  retentionMs: config['metadata.max.retention.ms'],
  deleteDelayMs: config['internal.metadata.delete.delay.millis'],
})

export const snapshotRules = (config: BrokerConfig): SnapshotRules => ({
  maxBytes: config['metadata.log.max.record.bytes.between.snapshots'],
  intervalMs: config['metadata.log.max.snapshot.interval.ms'],
})

/** Lets whatever waits for the event loop go first. */
export const afterOthers =
  ({ timers }: Runtime) =>
  (): Promise<void> =>
    new Promise(resolve => timers.defer(resolve))

/** @returns the way to stop it */
export function tendMetadata(metadata: Metadata, log: StoredMetadataLog, runtime: Runtime): () => void {
  let timer: Timer
  const arm = (): void => {
    timer = runtime.timers.after(TEND_MS, () => {
      metadata.snapshotIfDue()
      try {
        log.applyRetention()
      } catch (error) {
        // Nothing is lost, and the next round tries again; a log that fails says so with the next change.
        runtime.log.error({ err: error }, 'Old metadata could not be deleted')
      }
      arm()
    })
  }
  arm()
  return () => timer.cancel()
}
