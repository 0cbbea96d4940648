// The command line: reads flags, environment and file, starts the broker, says where it is, stops it on a signal.
// Everything outside comes in as `host`, so that tests need no process.

import { resolve } from 'node:path'
import type { BrokerConfig } from '../config/index.ts'
import { ConfigError, parse } from '../config/index.ts'
import type { LevelName } from '../runtime/levels.ts'
import type { Logger } from '../runtime/log.ts'
import type { Flags, LogLevel } from './flags.ts'
import { help, parseFlags } from './flags.ts'
import { textLogger } from './logger.ts'
import { version } from './version.ts'

/** What the command line needs of a broker. */
export interface RunningBroker {
  /** host:port of the first listener, for clients on this machine. */
  readonly bootstrap: string
  listen(): Promise<void>
  close(): Promise<void>
}

export interface Host {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Standard output is a terminal. */
  readonly terminal: boolean
  out(text: string): void
  err(text: string): void
  /** Resolves when what was written so far has left: for commands that print much, and before an exit. */
  drained(): Promise<void>
  /** Standard error is a terminal. */
  readonly errTerminal: boolean
  /** Milliseconds since the epoch. */
  now(): number
  /** Whole text of a file; throws Node's errors. */
  readText(path: string): string
  /** All of standard input. */
  readInput(): Promise<string>
  createBroker(options: { config: BrokerConfig; memory: boolean; logger: Logger; logLevel: LevelName }): RunningBroker
  jsonLogger(level: LogLevel): Promise<Logger>
  /** Calls back for SIGINT and SIGTERM. */
  onSignal(stop: (signal: 'SIGINT' | 'SIGTERM') => void): void
  exit(code: number): void
}

/** Commands besides those of the broker; each is loaded when it is asked for. */
const commands: Readonly<Record<string, () => Promise<{ run(args: readonly string[], host: Host): Promise<void> }>>> = {
  protocol: () => import('./commands/protocol.ts'),
  dump: () => import('./commands/dump.ts'),
  verify: () => import('./commands/verify.ts'),
  repair: () => import('./commands/repair.ts'),
}

/** Runs one command. The returned promise ends when the broker runs; host.exit is called when it has stopped. */
export async function run(args: readonly string[], host: Host): Promise<void> {
  try {
    const command = Object.hasOwn(commands, args[0] ?? '') ? commands[args[0]!] : undefined
    if (command) {
      await (await command()).run(args.slice(1), host)
      return
    }
    const flags = parseFlags(args)
    if (flags.command === 'help') host.out(help)
    else if (flags.command === 'version') host.out(`odradek ${version}\n`)
    else await start(flags, host)
  } catch (error) {
    host.err(`odradek: ${sentence(error)}\n`)
    host.exit(1)
  }
}

/** As Kafka names them; nothing is logged as FATAL. */
const levelNames: Readonly<Record<LogLevel, LevelName>> = {
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARN',
  error: 'ERROR',
  silent: 'FATAL',
}

async function start(flags: Flags, host: Host): Promise<void> {
  const config = parse({
    flags: flags.set,
    listen: flags.listen,
    advertise: flags.advertise,
    environment: host.environment,
    ...(flags.dataDir === undefined ? {} : { dataDir: flags.dataDir }),
    ...(flags.asVersion === undefined ? {} : { asVersion: flags.asVersion }),
    ...(flags.config === undefined ? {} : { file: { path: flags.config, text: fileText(flags.config, host) } }),
  })
  const level = flags.logLevel ?? (host.terminal ? 'warn' : 'info')
  const loggerOf = async (of: LogLevel): Promise<Logger> =>
    host.terminal ? textLogger(of, line => host.err(line)) : host.jsonLogger(of)
  const logger = await loggerOf(level)
  for (const warning of config.warnings) logger.warn(warning)
  // What the broker logs is held back by the levels of its loggers, which clients may change.
  const logLevel = levelNames[level]
  const broker = host.createBroker({ config, memory: flags.memory, logger: await loggerOf('debug'), logLevel })
  const stopping = stopOnSignal(broker, logger, host)
  try {
    await broker.listen()
  } catch (error) {
    // A stop during the start makes listen() fail; the stop itself says how it went.
    if (stopping()) return
    throw error
  }
  if (!stopping()) announce(broker, config, flags, logger, host)
}

function stopOnSignal(broker: RunningBroker, logger: Logger, host: Host): () => boolean {
  let stopping = false
  host.onSignal(signal => {
    if (stopping) {
      host.exit(signal === 'SIGINT' ? 130 : 143)
      return
    }
    stopping = true
    logger.info({ signal }, 'Stopping; a second signal ends at once')
    broker.close().then(
      () => host.exit(0),
      (error: unknown) => {
        host.err(`odradek: ${sentence(error)}\n`)
        host.exit(1)
      },
    )
  })
  return () => stopping
}

function announce(broker: RunningBroker, config: BrokerConfig, flags: Flags, logger: Logger, host: Host): void {
  const data = flags.memory ? 'memory only, gone when it stops' : config.logDirs.map(dir => resolve(dir)).join(', ')
  const mapped = config.endpoints.every(({ advertised }) => advertised === null)
  const hint =
    'Behind a port mapping (a container, a tunnel) add --advertise host:port, so that clients are told an address they can reach.'
  if (!host.terminal) {
    logger.info(
      { bootstrap: broker.bootstrap, data, version },
      mapped ? `Odradek is ready. ${hint}` : 'Odradek is ready',
    )
    return
  }
  host.out(
    `Odradek ${version} is ready.\n\n` +
      `  Clients connect to   ${broker.bootstrap}\n` +
      `  Data                 ${data}\n` +
      `  Stop it with         Ctrl-C\n` +
      (mapped ? `\n${hint}\n` : ''),
  )
}

function fileText(path: string, host: Host): string {
  try {
    return host.readText(path)
  } catch (error) {
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a directory',
      EACCES: 'reading it is not permitted',
    }
    const { code = '', message } = error as NodeJS.ErrnoException
    throw new ConfigError(`--config ${path} cannot be read: ${reasons[code] ?? message}.`)
  }
}

/** The sentence of an error: those that a user can meet say what to do in their message. */
const sentence = (error: unknown): string => (error instanceof Error ? error.message.split('\n')[0]! : String(error))
