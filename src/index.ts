// The embeddable broker, and the only place where everything is wired: `createBroker(options)` gives the broker that the
// command line starts, inside this process, in memory or on disk.
import type { BrokerConfig } from './config/index.ts'
import type { Release } from './config/releases.ts'
import type { DirectoryOptions } from './broker/log-dirs.ts'
import type { ClientMetrics } from './observe/client-metrics.ts'
import type { LevelName } from './runtime/levels.ts'
import type { Logger } from './runtime/log.ts'
import { resolve } from 'node:path'
import { codecReady, ZSTD } from '../protocol/records/compression.ts'
import { diskFiles, sharedOpenFiles } from '../storage/files-disk.ts'
import { memoryFiles } from '../storage/files-memory.ts'
import { servedApis } from './apis/served.ts'
import { openBroker, type OpenBroker } from './broker/open.ts'
import { ConfigResource } from './cluster/records.ts'
import { ConfigError, parse } from './config/index.ts'
import { silentLogger, systemRuntime } from './runtime/index.ts'
import { LogLevels } from './runtime/levels.ts'
import { MemoryBudget, type MemoryPool } from './runtime/memory.ts'
import { createServer, type Bound, type Server } from './server/listener.ts'
import { serverLimits } from './server-limits.ts'

export interface BrokerOptions {
  /** Where data is kept; without it the broker keeps everything in memory. */
  readonly dataDir?: string
  /** `host:port` to listen on, or several; default `localhost:0`, a free port on 127.0.0.1 and ::1. */
  readonly listen?: string | readonly string[]
  /** The `host:port` that clients are told; default: the address they reached. */
  readonly advertise?: string | readonly string[]
  /** Keys as Kafka names them, such as `{ 'num.partitions': 3 }`; docs/config.md lists them. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
  /** A Kafka release, `3.9` to `4.4`: only its APIs, versions and features are served. Default: all that is known. */
  readonly asVersion?: Release
  /** Gets every log line; a pino logger fits. Default: silent. */
  readonly logger?: Logger
}

/** A configuration that was read already, as the command line has it. */
export interface ConfiguredOptions {
  readonly config: BrokerConfig
  readonly memory: boolean
  readonly logger: Logger
  /** What passes to the logger, until a client asks for more or less. */
  readonly logLevel?: LevelName
}

export interface BrokerMetrics {
  readonly memory: {
    /** odradek.memory.bytes; the limits of the pools together are not above it. */
    readonly totalBytes: number
    /** By name; none before listen(). */
    readonly pools: readonly MemoryPool[]
  }
}

export interface RunningBroker extends AsyncDisposable {
  /** `host:port` for clients on this machine; known once listen() has resolved. */
  readonly bootstrap: string
  /** Opens the data, then the sockets. Rejects with one clear sentence, and leaves nothing open then. */
  listen(): Promise<void>
  /** What clients have pushed of their own metrics (KIP-714), the one that pushed last first; docs/client-metrics.md. */
  clientMetrics(): ClientMetrics[]
  /** How the broker is doing, as numbers; docs/metrics.md. */
  metrics(): BrokerMetrics
  /** Answers what is in flight, writes and syncs, and leaves no handle open. Idempotent. */
  close(): Promise<void>
}

/** Creates a broker; nothing happens before listen(). Throws ConfigError for a configuration that cannot be. */
export function createBroker(options: BrokerOptions | ConfiguredOptions = {}): RunningBroker {
  const { config, memory: inMemory, logger, logLevel } = configured(options)
  const levels = new LogLevels(logger, logLevel)
  const runtime = systemRuntime(levels.logger('odradek.server'))
  const { directories, metadata } = directoriesOf(config, inMemory)
  const memory = new MemoryBudget(config.memory.total)
  let opened: OpenBroker | null = null
  let server: Server | null = null
  const bound: Bound[] = []
  let listening: Promise<void> | null = null
  let closing: Promise<void> | null = null

  async function start(): Promise<void> {
    opened = await openBroker({ config, runtime, levels, directories, metadata, memory, durable: !inMemory })
    const { broker } = opened
    server = createServer({
      runtime,
      handlers: servedApis(config),
      limits: serverLimits(broker.config),
      ...(config.explicit.has('socket.listen.backlog.size') && { backlog: config['socket.listen.backlog.size'] }),
      context: (connection, call) => ({ broker, connection, ...call }),
    })
    const { receiving, unanswered, answers } = config.memory
    memory.reserve('requests.receiving', receiving, server.memory.receiving)
    memory.reserve('requests.unanswered', unanswered, server.memory.unanswered)
    memory.reserve('answers', answers, server.memory.answers)
    broker.metadata.onChange(({ configsChanged }) => {
      if (configsChanged.some(({ resourceType }) => resourceType === ConfigResource.BROKER)) server?.limitsChanged()
    })
    try {
      for (const { host, port, name } of config.endpoints) {
        // oxlint-disable-next-line no-await-in-loop -- the first one that fails is the one to name
        bound.push(...(await server.listen(host, port, name)))
      }
    } catch (error) {
      await stop()
      throw error
    }
    // Loaded behind the clients' backs: whoever needs it first waits for the rest of it. Without WebAssembly each such
    // request says so.
    codecReady(ZSTD)?.catch((err: unknown) => logger.warn({ err }, 'zstd is not available'))
  }

  async function stop(): Promise<void> {
    server?.stopAccepting()
    opened?.quiesce()
    await server?.drain(config['odradek.shutdown.timeout.ms'])
    await server?.close()
    runtime.log.debug({ pools: memory.pools() }, 'Memory that was taken')
    await opened?.close()
  }

  return {
    get bootstrap() {
      const { host, advertised } = config.endpoints[0]!
      if (advertised) return `${bracketed(advertised.host)}:${advertised.port || bound[0]?.port}`
      if (bound.length === 0) throw new Error('bootstrap is known once listen() has resolved')
      return `${host === '' ? 'localhost' : bracketed(host)}:${bound[0]!.port}`
    },
    listen() {
      if (closing) return Promise.reject(new Error('This broker was closed; create another.'))
      listening ??= start()
      return listening
    },
    metrics: () => ({ memory: { totalBytes: memory.totalBytes, pools: memory.pools() } }),
    clientMetrics: () => opened?.broker.telemetry.clients() ?? [],
    close() {
      closing ??= (listening ?? Promise.resolve()).then(stop, () => undefined)
      return closing
    },
    async [Symbol.asyncDispose]() {
      await this.close()
    },
  }
}

/** Where things are kept. Throws ConfigError for a directory that is named twice. */
function directoriesOf(
  config: BrokerConfig,
  memory: boolean,
): { directories: DirectoryOptions[]; metadata: DirectoryOptions | undefined } {
  const names = memory ? config.logDirs.slice(0, 1) : config.logDirs
  const separate = memory ? null : config['metadata.log.dir']
  const openFiles = sharedOpenFiles(config['odradek.max.open.files'])
  const directory = (name: string): DirectoryOptions => {
    const path = resolve(name)
    return { name, path, files: memory ? memoryFiles() : diskFiles(path, { openFiles }) }
  }
  const directories = names.map(directory)
  const twice = directories.find(({ path }, n) => directories.findIndex(other => other.path === path) !== n)
  if (twice) throw new ConfigError(`log.dirs names ${twice.path} twice.`)
  if (separate === null) return { directories, metadata: directories[0] }
  const metadata = directories.find(({ path }) => path === resolve(separate)) ?? directory(separate)
  return { directories, metadata }
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host)

function configured(options: BrokerOptions | ConfiguredOptions): ConfiguredOptions {
  if ('memory' in options) return options
  const { dataDir, listen, advertise, asVersion, config, logger = silentLogger } = options
  const parsed = parse({
    flags: config ?? {},
    listen: listen === undefined ? (config?.['listeners'] === undefined ? ['localhost:0'] : []) : [listen].flat(),
    advertise: advertise === undefined ? [] : [advertise].flat(),
    ...(dataDir !== undefined && { dataDir }),
    ...(asVersion !== undefined && { asVersion }),
  })
  for (const warning of parsed.warnings) logger.warn(warning)
  return {
    config: parsed,
    memory: dataDir === undefined && !parsed.explicit.has('log.dirs') && !parsed.explicit.has('log.dir'),
    logger,
  }
}

export { ConfigError } from './config/index.ts'
export type { ClientMetric, ClientMetrics } from './observe/client-metrics.ts'
export type { Release } from './config/releases.ts'
export type { Logger } from './runtime/log.ts'
export type { MemoryPool } from './runtime/memory.ts'
