// Builds a broker on its log directories and takes it down again: the directories, the metadata log, the partitions' logs, the
// coordinator, and what they tell each other. No sockets here.
import type { BrokerConfig } from '../config/index.ts'
import type { Runtime } from '../runtime/index.ts'
import { LogLevels } from '../runtime/levels.ts'
import { MemoryBudget } from '../runtime/memory.ts'
import type { DirectoryOptions, OnlineDirectory } from './log-dirs.ts'
import type { Durability } from './partition.ts'
import type { Arena } from '../../storage/arena.ts'
import { readMemoryOf } from '../../storage/read-ahead.ts'
import { applyDynamic, liveConfig } from '../config/index.ts'
import { allocateProducerIds } from '../cluster/controller.ts'
import { assignDirectories, cordonDirectories, failDirectory } from '../cluster/directories.ts'
import { fenceBroker } from '../cluster/broker-registration.ts'
import { bootstrapRecords, examineKafkaDir } from '../cluster/examine.ts'
import { initialLevels } from '../cluster/features.ts'
import { Metadata } from '../cluster/metadata.ts'
import { MAX_BATCH_BYTES } from '../cluster/metadata-log.ts'
import { ProducerIds } from '../cluster/producer-ids.ts'
import { ConfigResource } from '../cluster/records.ts'
import { openMetadataLog, type StoredMetadataLog } from '../cluster/storage-log.ts'
import { unenforcedWarning } from '../cluster/other-records.ts'
import { cleanerCounters } from '../observe/counters.ts'
import { KeptClientMetrics } from '../observe/client-metrics.ts'
import { ClientTelemetry } from '../observe/client-telemetry.ts'
import { Broker } from './broker.ts'
import { Cleaner } from './cleaner.ts'
import { Coordinators } from './coordinators.ts'
import { FetchSessions, PARTITION_BYTES } from './fetch-sessions.ts'
import { Flusher } from './flusher.ts'
import { Housekeeping } from './housekeeping.ts'
import { LogDirs } from './log-dirs.ts'
import { Logs } from './logs.ts'
import { arenaFor, reserveState, stateShares, workFor } from './memory-pools.ts'
import { afterOthers, metadataLogSettings, snapshotRules, tendMetadata } from './metadata-settings.ts'
import { PartitionTable } from './partition-table.ts'
import { Resources } from './resources.ts'

/** Kafka's own constant (KafkaBroker.MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS). */
const SESSION_EVICTION_MS = 120_000

export interface OpenBrokerOptions {
  readonly config: BrokerConfig
  readonly runtime: Runtime
  /** log.dirs. */
  readonly directories: readonly DirectoryOptions[]
  /** Where the metadata log is; one of `directories`, by default the first, or one beside them. */
  readonly metadata?: DirectoryOptions | undefined
  /** The loggers, of which `odradek.*` are used here; by default they let everything pass. */
  readonly levels?: LogLevels
  /** What the pools of memory are taken from; its total is that of the configuration. */
  readonly memory?: MemoryBudget
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
  const { directories, metadata, levels = new LogLevels(o.runtime.log) } = o
  const { memory = new MemoryBudget(o.config.memory.total) } = o
  const runtime = named(o.runtime, levels, 'odradek')
  const nodeId = o.config['node.id']
  const newId = (): string => runtime.random.uuid()
  let examined = false
  const dirs = await LogDirs.open({
    directories,
    metadata,
    nodeId,
    newId,
    log: runtime.log,
    examine: files => {
      // Asked with every look at the directory; once is enough.
      if (!examined) examineKafkaDir(files, nodeId)
      examined = true
    },
  })
  for (const { dir } of dirs.online) for (const warning of dir.warnings) runtime.log.warn(warning)
  const { isKafkas, path, clusterId } = dirs.metadataDir
  if (isKafkas) runtime.log.info({ path, clusterId }, 'A data directory of Apache Kafka: it stays usable by it')
  try {
    return await openOn(dirs, { ...o, runtime, levels, memory, config: liveConfig(o.config) })
  } catch (error) {
    await dirs.close(false)
    throw error
  }
}

/** With a logger of its own. */
const named = ({ clock, timers, random }: Runtime, levels: LogLevels, name: string): Runtime => ({
  clock,
  timers,
  random,
  log: levels.logger(name),
})

type Opening = OpenBrokerOptions & { readonly levels: LogLevels; readonly memory: MemoryBudget }

async function openOn(dirs: LogDirs, o: Opening): Promise<OpenBroker> {
  const { config, runtime, durable } = o
  const { files, wasClean } = dirs.metadataDir
  const flush = durable && config['odradek.flush.on.acks.all']
  const now = (): number => runtime.clock.now()
  const arena = arenaFor(o.memory, config.memory, task => runtime.timers.defer(task))
  const metadataLog = openMetadataLog({
    files,
    arena,
    now,
    flush,
    cleanShutdown: wasClean,
    settings: metadataLogSettings(config),
    pause: afterOthers(runtime),
    syncFolders: async () => {
      for (const { dir } of dirs.online) await dir.files.syncDir('')
    },
  })
  for (const warning of metadataLog.warnings) runtime.log.warn(warning)
  try {
    if (metadataLog.endOffset === 0) dirs.mustBeEmpty()
    return await openWith(dirs, o, arena, metadataLog, flush ? 'synced' : 'written')
  } catch (error) {
    await metadataLog.close(false)
    throw error
  }
}

async function openWith(
  dirs: LogDirs,
  o: Opening,
  arena: Arena,
  metadataLog: StoredMetadataLog,
  acksAllDurability: Durability,
): Promise<OpenBroker> {
  const { config, runtime, features = initialLevels } = o
  const { nodeId } = dirs
  const now = (): number => runtime.clock.now()
  const metadata = await Metadata.open({
    log: metadataLog,
    quorumState: metadataLog.quorumState,
    nodeId,
    now,
    features,
    minInsyncReplicas: config['min.insync.replicas'],
    bootstrapRecords: metadataLog.endOffset === 0 ? bootstrapRecords(dirs.metadataDir.files) : undefined,
    registration: {
      incarnationId: runtime.random.uuid(),
      endPoints: config.endpoints.map(({ name, host, port }) => ({ name, host, port, securityProtocol: 0 })),
      rack: config['broker.rack'],
      logDirs: dirs.onlineIds,
      cleanShutdown: dirs.wasClean,
    },
    onError: error => runtime.log.error({ err: error }, 'The metadata log failed: topics cannot be changed any more'),
    snapshots: snapshotRules(config),
    maxBatchBytes: Math.min(MAX_BATCH_BYTES, metadataLogSettings(config).segmentBytes >> 1),
    onSnapshotError: error => runtime.log.error({ err: error }, 'No snapshot of the metadata: its log is kept instead'),
  })
  const { image } = metadata
  const reconfigure = (): void =>
    applyDynamic(config, {
      broker: image.configs(ConfigResource.BROKER, String(nodeId)),
      cluster: image.configs(ConfigResource.BROKER, ''),
    })
  reconfigure()
  const flusher = new Flusher(runtime.timers)
  const partitions = new PartitionTable()
  const producerIds = new ProducerIds(() =>
    metadata.submit(newest => allocateProducerIds(newest, nodeId, newest.broker(nodeId)?.brokerEpoch ?? -1)),
  )
  const coordinators = new Coordinators({
    config,
    runtime: named(runtime, o.levels, 'odradek.coordinators'),
    image,
    partitions,
    durability: acksAllDurability,
    newProducerId: () => producerIds.next(),
  })
  const logs: Logs = new Logs(
    {
      dirs,
      arena,
      config,
      runtime,
      flusher,
      nodeId,
      partitions,
      onLed: partition => coordinators.elected(partition),
      onGone: (topic, partition) => coordinators.gone(topic, partition),
      onDeleted: (topic, partition) => cleaner.gone(topic, partition),
      compaction: {
        pause: log => cleaner.pause(log),
        isBusy: log => cleaner.isBusy(log),
        moved: (topic, partition, from, to) => cleaner.moved(topic, partition, from, to),
      },
      onFolderDeleted: () => housekeeping.folderDeleted(),
      assign: assignments => metadata.submit(newest => assignDirectories(newest, nodeId, assignments)),
      directoryFailed: id => metadata.submit(newest => failDirectory(newest, nodeId, id)),
    },
    image,
  )
  const suspect = (directory: OnlineDirectory): void => logs.suspect(directory)
  const housekeeping = new Housekeeping({
    config,
    runtime,
    dirs,
    partitions,
    flusher,
    readAhead: readMemoryOf(arena).ahead,
    suspect,
  })
  const cleaner = new Cleaner({
    config,
    runtime: named(runtime, o.levels, 'odradek.cleaner'),
    partitions,
    counters: cleanerCounters(),
    memory: workFor(o.memory, config.memory),
    dirs: () => dirs.online.map(({ dir }) => dir),
    dirOf: (topic, partition) => dirs.of(topic, partition)?.dir,
    isMoving: (topic, partition) => logs.moves.of(topic, partition) !== undefined,
  })
  const state = stateShares(config.memory)
  const telemetry = new ClientTelemetry({
    config,
    newId: () => runtime.random.uuid(),
    log: runtime.log,
    kept: new KeptClientMetrics({ totalBytes: state.clientMetrics, clientBytes: Math.floor(state.clientMetrics / 8) }),
  })
  const sessions = new FetchSessions({
    slots: config['max.incremental.fetch.session.cache.slots'],
    evictionMs: SESSION_EVICTION_MS,
    newId: () => 1 + runtime.random.int(2 ** 31 - 1),
    maxPartitions: Math.floor(state.sessions / PARTITION_BYTES),
  })
  reserveState(o.memory, config.memory, { coordinators, partitions, sessions, telemetry })
  const resources = new Resources({ image, telemetry, log: runtime.log })
  const broker = new Broker({
    levels: o.levels,
    config,
    runtime,
    nodeId,
    clusterId: dirs.clusterId,
    dirs,
    logs,
    metadata,
    partitions,
    groups: coordinators.groups,
    transactionCoordinator: coordinators.transactionCoordinator,
    transactions: coordinators.transactions,
    coordinatorsLoaded: () => coordinators.loaded(),
    telemetry,
    sessions,
    producerIds,
    acksAllDurability,
  })
  const cordon = (): void => {
    const cordoned = dirs.online.filter(directory => logs.isCordoned(directory))
    const ids = cordoned.map(({ dir }) => dir.directoryId)
    metadata
      .submit(newest => cordonDirectories(newest, nodeId, ids))
      .catch((error: unknown) => runtime.log.error({ err: error }, 'cordoned.log.dirs could not be recorded'))
  }
  cordon()
  const unenforced = unenforcedWarning(metadata.image.others)
  if (unenforced !== null) runtime.log.warn(unenforced)
  logs.start(metadata.deletedTopicIds)
  metadata.onChange(delta => {
    const reconfigured = delta.configsChanged.some(({ resourceType }) => resourceType === ConfigResource.BROKER)
    if (reconfigured) reconfigure()
    logs.apply(delta)
    if (reconfigured) {
      cleaner.reconfigured()
      logs.configureAll()
      cordon()
    }
    resources.apply(delta)
    void coordinators.groups.topicsDeleted(delta.topicsDeleted)
  })
  resources.start()
  housekeeping.cleanDeleted()
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
      await logs.moves.stop()
      // A metadata log that failed has said so; it takes this as little as anything else.
      await metadata.submit(newest => fenceBroker(newest, nodeId)).catch(() => undefined)
      await metadata.idle()
      await flusher.settle()
      let failure: unknown = null
      try {
        await metadataLog.close(true)
      } catch (error) {
        failure = error
      }
      await dirs.close(failure === null, image.broker(nodeId)?.brokerEpoch)
      arena.clear()
      if (failure !== null) throw failure
    },
  }
}
