/**
 * Whether a directory that Apache Kafka wrote can be served: looked at before anything in it is touched. The metadata log is
 * read as it lies there, a torn end left out, as the recovery after an unclean stop would.
 */
import * as batch from '../../protocol/records/batch.ts'
import { CorruptFileError } from '../../storage/errors.ts'
import type { Files } from '../../storage/files.ts'
import { UnfitError } from '../../storage/log-dir-owner.ts'
import * as names from '../../storage/names.ts'
import { parseQuorumState } from '../../storage/quorum-state.ts'
import { checkMetadataVersion } from './broker-registration.ts'
import { MAX_KRAFT_VERSION } from './features.ts'
import { MetadataImage, MetadataReplayError } from './image.ts'
import { loadBatches } from './metadata-log.ts'
import { checkVoters, fixedQuorum } from './quorum.ts'
import type { MetadataRecord } from './records.ts'
import { loadSnapshots } from './snapshot-files.ts'
import { snapshotRecords } from './snapshot.ts'

const FOLDER = names.partitionFolder(names.CLUSTER_METADATA_TOPIC, 0)

/** Throws UnfitError, and what the disk throws. Changes nothing. */
export function examineKafkaDir(files: Files, nodeId: number): void {
  try {
    examine(files, nodeId)
  } catch (error) {
    const isFinding = error instanceof MetadataReplayError || error instanceof CorruptFileError
    if (isFinding) throw new UnfitError(error.message)
    throw error
  }
}

/** What a formatted directory that never ran says is to be recorded first; undefined where there is no such file. */
export function bootstrapRecords(files: Files): readonly MetadataRecord[] | undefined {
  const path = names.BOOTSTRAP_CHECKPOINT_FILE
  return files.exists(path) ? snapshotRecords(files.readAll(path)) : undefined
}

function examine(files: Files, nodeId: number): void {
  if (!files.exists(FOLDER)) {
    const records = bootstrapRecords(files)
    if (records === undefined)
      throw new UnfitError(
        'it holds no metadata log, which a broker without the controller role has elsewhere, as one with several log directories may',
      )
    const image = new MetadataImage()
    image.apply(records, 0)
    return checkMetadataVersion(image)
  }
  const snapshots = loadSnapshots(files, FOLDER)
  const id = snapshots.files.at(-1)?.id
  const snapshot = snapshots.newest === null || id === undefined ? null : { ...snapshots.newest, id }
  const image = snapshot?.image.clone() ?? new MetadataImage()
  let quorum = snapshot?.quorum ?? fixedQuorum
  const read = () => wholeBatches(files, snapshot?.id.offset ?? 0)
  for (const loaded of loadBatches({ snapshot, read })) {
    image.apply(loaded.records, loaded.endOffset)
    quorum = loaded.quorum
  }
  checkMetadataVersion(image)
  if (quorum.kraftVersion > MAX_KRAFT_VERSION)
    throw new UnfitError(`its kraft.version ${quorum.kraftVersion} is newer than ${MAX_KRAFT_VERSION}`)
  const path = names.join(FOLDER, names.QUORUM_STATE_FILE)
  checkVoters(quorum, files.exists(path) ? parseQuorumState(files.readAll(path), path) : null, nodeId)
  checkReplicas(image, nodeId)
}

/** What lies on other brokers cannot be served, nor replicated from here. */
function checkReplicas(image: MetadataImage, nodeId: number): void {
  const others = new Set<number>()
  for (const { partitions } of image.topics())
    for (const { replicas } of partitions) for (const id of replicas) if (id !== nodeId) others.add(id)
  if (others.size === 0) return
  const ids = [...others].toSorted((a, b) => a - b).join(', ')
  throw new UnfitError(`its topics have replicas on other brokers (${ids}), and only a single broker can be served`)
}

/** From `offset` on, a segment at a time, up to the first batch that is cut off or damaged at the end of the last one. */
function* wholeBatches(files: Files, offset: number): Generator<Buffer, void, undefined> {
  const segments = files
    .list(FOLDER)
    .filter(name => name.endsWith(names.LOG_SUFFIX))
    .flatMap(name => names.offsetOfFile(name) ?? [])
    .toSorted((a, b) => a - b)
  for (const [n, base] of segments.entries()) {
    const next = segments[n + 1]
    if (next !== undefined && next <= offset) continue
    const bytes = files.readAll(names.join(FOLDER, names.logFile(base)))
    let end = 0
    for (let size; (size = batch.wholeBatchAt(bytes, end)) > 0; end += size) {
      const isWhole = batch.computeCrc(bytes, end, size) === batch.crc(bytes, end)
      // In the middle it is damage, of which the reader tells.
      if (!isWhole && next === undefined) break
    }
    yield bytes.subarray(0, end)
  }
}
