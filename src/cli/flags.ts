// The flags of `odradek [start]` and their help.

import { parseArgs } from 'node:util'
import { ConfigError } from '../config/index.ts'
import { releases } from '../config/releases.ts'

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export interface Flags {
  readonly command: 'start' | 'help' | 'version'
  readonly listen: readonly string[]
  readonly advertise: readonly string[]
  readonly dataDir: string | undefined
  readonly memory: boolean
  readonly config: string | undefined
  readonly asVersion: string | undefined
  readonly set: Readonly<Record<string, string>>
  readonly logLevel: LogLevel | undefined
}

export const help = `odradek [start] [flags]    starts the broker

  --listen host:port       where clients connect (default localhost:9092; :9092 opens every
                           interface; may be repeated)
  --advertise host:port    the address that clients are told, if they reach the broker through
                           a port mapping (default: the address they connected to)
  --data-dir DIR           where data is kept (default ./odradek-data)
  --memory                 keep data in memory only
  --config FILE            a Kafka server.properties
  --set key=value          set one key; may be repeated. docs/config.md lists every key
  --as-version RELEASE     serve only what that release of Kafka serves: ${releases.join(', ')}
  --log-level LEVEL        ${logLevels.join(', ')}
  --version, --help

Environment variables such as KAFKA_LOG_RETENTION_MS=60000 set keys too. A flag wins over the
environment, the environment over the file.

odradek protocol            the wire: APIs served, layouts, bytes as JSON
odradek dump FILES...       any file of a data directory as text, or as JSON
odradek verify DIR          checks a whole data directory, of Odradek or of Apache Kafka
odradek repair DIR          mends one: says what it would do, and does it with --yes
Each of these has a --help of its own.
`

const options = {
  listen: { type: 'string', multiple: true },
  advertise: { type: 'string', multiple: true },
  'data-dir': { type: 'string' },
  memory: { type: 'boolean' },
  config: { type: 'string' },
  'as-version': { type: 'string' },
  set: { type: 'string', multiple: true },
  'log-level': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'V' },
} as const

/** @throws ConfigError for anything that is not a flag or command */
export function parseFlags(args: readonly string[]): Flags {
  const { values, positionals } = read(args)
  const [command = 'start', ...more] = positionals
  if (!['start', 'help', 'version'].includes(command) || more.length > 0) {
    throw new ConfigError(`There is no command '${positionals.join(' ')}'; odradek --help shows what there is.`)
  }
  if (values.memory === true && values['data-dir'] !== undefined) {
    throw new ConfigError('Give either --memory or --data-dir, not both.')
  }
  return {
    command:
      values.help === true || command === 'help'
        ? 'help'
        : values.version === true || command === 'version'
          ? 'version'
          : 'start',
    listen: values.listen ?? [],
    advertise: values.advertise ?? [],
    dataDir: values['data-dir'],
    memory: values.memory === true,
    config: values.config,
    asVersion: oneOf('as-version', releases, values['as-version']),
    set: Object.fromEntries((values.set ?? []).map(assignment)),
    logLevel: oneOf('log-level', logLevels, values['log-level']),
  }
}

function read(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const name = /'(-[^' ]*)/.exec(message)?.[1] ?? ''
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      throw new ConfigError(`There is no flag ${name}; odradek --help lists them, and --set key=value sets any key.`)
    }
    if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') {
      const flag = /--[a-z-]+/.exec(message)?.[0] ?? name
      throw new ConfigError(
        ['--memory', '--help', '--version'].includes(flag) ? `${flag} takes no value.` : `${flag} needs a value.`,
      )
    }
    throw error
  }
}

function assignment(text: string): [string, string] {
  const equals = text.indexOf('=')
  if (equals < 1) throw new ConfigError(`--set must be key=value, but it is '${text}'.`)
  return [text.slice(0, equals).trim(), text.slice(equals + 1)]
}

function oneOf<T extends string>(flag: string, allowed: readonly T[], text: string | undefined): T | undefined {
  const found = allowed.find(name => name === text)
  if (text !== undefined && found === undefined) {
    throw new ConfigError(`--${flag} must be one of ${allowed.join(', ')}, but it is '${text}'.`)
  }
  return found
}
