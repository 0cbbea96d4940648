/**
 * Opens the files of a log: what its folder holds (recovery.ts), or nothing yet. A log that is created lazily gets its folder
 * when there is something to put into it; until then the metadata alone know of it, and no start has to look for it.
 */
import { CorruptFileError } from './errors.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import type { LogConfig } from './log-config.ts'
import { LogFiles } from './log-files.ts'
import { reconcileTopicId, writeTopicId } from './log-folder.ts'
import type { OpenOptions } from './log-options.ts'
import * as names from './names.ts'
import { ProducerState } from './producer-state.ts'
import type { LoadedLog, LoadOptions } from './recovery.ts'
import { loadLog } from './recovery.ts'
import { Segment } from './segment.ts'
import { SnapshotFiles } from './snapshot-files.ts'

export interface OpenedLog {
  readonly topicId: string | null
  readonly files: LogFiles
  readonly loaded: LoadedLog
}

/** @throws what the disk throws; CorruptFileError where a log at rest has no folder; Error for a folder of another topic id */
export function openLogFiles(o: OpenOptions): OpenedLog {
  const folder = o.folder ?? names.partitionFolder(o.topic, o.partition)
  const rollJitterMs = ({ segmentJitterMs }: LogConfig) => Math.floor((o.random?.() ?? 0) * segmentJitterMs)
  const isNew = o.folderTopicId === undefined && !o.files.exists(folder)
  const options = { ...o, folder, isNew, rollJitterMs }
  if (isNew && o.resting !== undefined) throw new CorruptFileError(folder, 'the folder of this log is gone')
  if (isNew && o.lazily === true) {
    const loaded = emptyLog(options)
    const makeFolder = () => {
      o.files.mkdir(folder)
      if (o.topicId !== undefined) writeTopicId(o.files, folder, o.topicId)
    }
    return { topicId: o.topicId ?? null, files: new LogFiles({ ...options, makeFolder }, loaded), loaded }
  }
  if (isNew) o.files.mkdir(folder)
  const topicId = reconcileTopicId(o.files, folder, o.topicId, o.folderTopicId)
  const loaded = loadLog(options)
  return { topicId, files: new LogFiles(options, loaded), loaded }
}

/** Without a single call to the disk. */
function emptyLog(o: LoadOptions): LoadedLog {
  const { files, folder, config, logStartOffset, now } = o
  const segment = new Segment(files, folder, logStartOffset, config, now, o.rollJitterMs(config))
  segment.begin()
  return {
    segments: [segment],
    logStartOffset,
    logEndOffset: logStartOffset,
    recoveryPoint: logStartOffset,
    epochs: new LeaderEpochs(),
    savedEpochs: null,
    producers: new ProducerState(config.producerIdExpirationMs),
    snapshots: new SnapshotFiles(files, folder, []),
    unsynced: [],
    deleted: [],
    scannedBytes: 0,
  }
}
