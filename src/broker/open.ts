// Builds a broker on one log directory and takes it down again: the directory, the metadata log, the partitions' logs, the
// coordinator, and what they tell each other. No sockets here.
import type { Files } from '../../storage/files.ts'
import type { BrokerConfig } from '../config/index.ts'
import type { Runtime } from '../runtime/index.ts'
import type { Durability, Partition } from './partition.ts'
import { Arena } from '../../storage/arena.ts'
import { LogDir } from '../../storage/log-dir.ts'
import type { Log } from '../../storage/log.ts'
import { applyDynamic, liveConfig } from '../config/index.ts'
import { allocateProducerIds } from '../cluster/controller.ts'
import { bootstrapRecords, examineKafkaDir } from '../cluster/examine.ts'
import { initialLevels } from '../cluster/features.ts'
import { Metadata } from '../cluster/metadata.ts'
import { MAX_BATCH_BYTES } from '../cluster/metadata-log.ts'
import { ProducerIds } from '../cluster/producer-ids.ts'
import { ConfigResource } from '../cluster/records.ts'
import { openMetadataLog, type StoredMetadataLog } from '../cluster/storage-log.ts'
import { cleanerCounters } from '../observe/counters.ts'
import { ClientTelemetry } from '../observe/client-telemetry.ts'
import { Broker } from './broker.ts'
import { Cleaner } from './cleaner.ts'
import { Coordinators } from './coordinators.ts'
import { FetchSessions } from './fetch-sessions.ts'
import { Flusher } from './flusher.ts'
import { Housekeeping } from './housekeeping.ts'
import { Logs } from './logs.ts'
import { afterOthers, metadataLogSettings, snapshotRules, tendMetadata } from './metadata-settings.ts'
import { PartitionTable } from './partition-table.ts'
import { Resources } from './resources.ts'

/** Kafka's own constant (KafkaBroker.MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS). */
const SESSION_EVICTION_MS = 120_000

export interface OpenBrokerOptions {
  readonly config: BrokerConfig
  readonly runtime: Runtime
  readonly files: Files
  /** How messages name the directory. */
  readonly path: string
  /** False: everything is in memory, nothing can be lost by a stop that has not already been. */
  readonly durable: boolean
  /** Levels to finalize where the log has none; default: the highest that are served. */
  readonly features?: Readonly<Record<string, number>>
}

export interface OpenBroker {
  readonly broker: Broker
  /** Ends every wait, so that connections can be answered and drained. */
  quiesce(): void
  /** Writes and syncs what is pending, leaves the mark of a clean stop, gives the directory back. Rejects if that failed. */
  close(): Promise<void>
}

/** Throws LogDirError, MetadataReplayError, KafkaError; nothing stays open then. */
export async function openBroker(o: OpenBrokerOptions): Promise<OpenBroker> {
  const { runtime, files, path } = o
  const nodeId = o.config['node.id']
  const newId = (): string => runtime.random.uuid()
  const dir = LogDir.open<Log>(files, { path, nodeId, newId, examine: () => examineKafkaDir(files, nodeId) })
  for (const warning of dir.warnings) runtime.log.warn(warning)
  if (dir.isKafkas)
    runtime.log.info({ path, clusterId: dir.clusterId }, 'A data directory of Apache Kafka: it stays usable by it')
  try {
    return await openOn(dir, { ...o, config: liveConfig(o.config) })
  } catch (error) {
    await dir.close(false)
    throw error
  }
}

async function openOn(dir: LogDir<Log>, o: OpenBrokerOptions): Promise<OpenBroker> {
  const { config, runtime, files, durable } = o
  const flush = durable && config['odradek.flush.on.acks.all']
  const now = (): number => runtime.clock.now()
  const arena = new Arena({
    tailBytes: config['odradek.tail.cache.bytes'],
    readBytes: config['odradek.fetch.memory.bytes'],
  })
  const metadataLog = openMetadataLog({
    files,
    arena,
    now,
    flush,
    cleanShutdown: dir.wasClean,
    settings: metadataLogSettings(config),
    pause: afterOthers(runtime),
  })
  for (const warning of metadataLog.warnings) runtime.log.warn(warning)
  try {
    return await openWith(dir, o, arena, metadataLog, flush ? 'synced' : 'written')
  } catch (error) {
    await metadataLog.close(false)
    throw error
  }
}

async function openWith(
  dir: LogDir<Log>,
  o: OpenBrokerOptions,
  arena: Arena,
  metadataLog: StoredMetadataLog,
  acksAllDurability: Durability,
): Promise<OpenBroker> {
  const { config, runtime, features = initialLevels } = o
  const now = (): number => runtime.clock.now()
  const metadata = await Metadata.open({
    log: metadataLog,
    quorumState: metadataLog.quorumState,
    nodeId: dir.nodeId,
    now,
    features,
    minInsyncReplicas: config['min.insync.replicas'],
    bootstrapRecords: metadataLog.endOffset === 0 ? bootstrapRecords(o.files) : undefined,
    registration: {
      incarnationId: runtime.random.uuid(),
      endPoints: config.endpoints.map(({ name, host, port }) => ({ name, host, port, securityProtocol: 0 })),
      rack: config['broker.rack'],
      logDirs: [dir.directoryId],
      cleanShutdown: dir.wasClean,
    },
    onError: error => runtime.log.error({ err: error }, 'The metadata log failed: topics cannot be changed any more'),
    snapshots: snapshotRules(config),
    maxBatchBytes: Math.min(MAX_BATCH_BYTES, metadataLogSettings(config).segmentBytes >> 1),
    onSnapshotError: error => runtime.log.error({ err: error }, 'No snapshot of the metadata: its log is kept instead'),
  })
  const { image } = metadata
  const reconfigure = (): void =>
    applyDynamic(config, {
      broker: image.configs(ConfigResource.BROKER, String(dir.nodeId)),
      cluster: image.configs(ConfigResource.BROKER, ''),
    })
  reconfigure()
  const flusher = new Flusher(runtime.timers)
  const partitions = new PartitionTable()
  const producerIds = new ProducerIds(() =>
    metadata.submit(newest => allocateProducerIds(newest, dir.nodeId, newest.broker(dir.nodeId)?.brokerEpoch ?? -1)),
  )
  const coordinators = new Coordinators({
    config,
    runtime,
    image,
    partitions,
    durability: acksAllDurability,
    newProducerId: () => producerIds.next(),
  })
  const housekeeping = new Housekeeping({ config, runtime, dir, partitions, flusher })
  const cleaner = new Cleaner({ config, runtime, partitions, counters: cleanerCounters(), dirOf: () => dir })
  const telemetry = new ClientTelemetry({ config, newId: () => runtime.random.uuid(), log: runtime.log })
  const resources = new Resources({ image, telemetry, log: runtime.log })
  const broker = new Broker({
    config,
    runtime,
    nodeId: dir.nodeId,
    clusterId: dir.clusterId,
    dataDir: {
      path: dir.path,
      checkpoint: () => dir.writeCheckpoints(),
      space: () => dir.files.space?.() ?? null,
    },
    metadata,
    partitions,
    groups: coordinators.groups,
    transactionCoordinator: coordinators.transactionCoordinator,
    transactions: coordinators.transactions,
    coordinatorsLoaded: () => coordinators.loaded(),
    telemetry,
    sessions: new FetchSessions({
      slots: config['max.incremental.fetch.session.cache.slots'],
      evictionMs: SESSION_EVICTION_MS,
      newId: () => 1 + runtime.random.int(2 ** 31 - 1),
    }),
    producerIds,
    acksAllDurability,
  })
  const onLed = (partition: Partition): void => coordinators.elected(partition)
  const onGone = (topic: string, partition: number): void => {
    housekeeping.folderDeleted()
    coordinators.gone(topic, partition)
    cleaner.gone(topic, partition)
  }
  const logs = new Logs({ dir, arena, config, runtime, flusher, nodeId: dir.nodeId, partitions, onLed, onGone }, image)
  logs.start(metadata.deletedTopicIds)
  metadata.onChange(delta => {
    const reconfigured = delta.configsChanged.some(({ resourceType }) => resourceType === ConfigResource.BROKER)
    if (reconfigured) reconfigure()
    logs.apply(delta)
    if (reconfigured) logs.configureAll()
    resources.apply(delta)
    void coordinators.groups.topicsDeleted(delta.topicsDeleted)
  })
  resources.start()
  dir.cleanDeleted()
  housekeeping.start()
  cleaner.start()
  const stopTending = tendMetadata(metadata, metadataLog, runtime)

  return {
    broker,
    quiesce() {
      coordinators.close()
      for (const partition of partitions.all()) partition.wake()
    },
    async close() {
      housekeeping.stop()
      await cleaner.stop()
      stopTending()
      await metadata.idle()
      await flusher.settle()
      let failure: unknown = null
      try {
        await metadataLog.close(true)
      } catch (error) {
        failure = error
      }
      await dir.close(failure === null, image.broker(dir.nodeId)?.brokerEpoch)
      arena.clear()
      if (failure !== null) throw failure
    },
  }
}
