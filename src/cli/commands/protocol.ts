// `odradek protocol`: which APIs are served, how one version of one looks on the wire, and bytes as JSON. Loaded only when
// asked for, so that a broker starts without it.
import { parseArgs } from 'node:util'
import { ConfigError } from '../../config/index.ts'
import { nearest } from '../../config/nearest.ts'
import { isRelease, releases } from '../../config/releases.ts'
import type { Api } from '../../../protocol/api.ts'
import { apis } from '../../../protocol/messages/index.ts'
import { servedApis } from '../../apis/served.ts'
import { decodeToJson, type DecodeFlags } from './protocol-decode.ts'
import { listText, layoutText } from './protocol-text.ts'

/** What this command needs of the machine. */
export interface Io {
  out(text: string): void
  /** All of standard input, as text. */
  readInput(): Promise<string>
}

const help = `odradek protocol                      the APIs that are served, and their versions
odradek protocol --as-version 3.9     the same as a broker of that release serves them
odradek protocol produce 9            how one version looks on the wire (by name or key)
odradek protocol decode [flags] HEX   bytes as JSON; - reads the hex from standard input

  --api NAME --version N --type request|response   the body of a message
  --message NAME [--version N]                     a record of an internal topic or of the metadata log, by
                                                   Kafka's name (OffsetCommitValue); without --version its
                                                   first two bytes are the version
  --frame                                          HEX is a whole frame: size, header, body. A request's
                                                   header names its API and version
`

const options = {
  'as-version': { type: 'string' },
  api: { type: 'string' },
  message: { type: 'string' },
  version: { type: 'string' },
  type: { type: 'string' },
  frame: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** @throws ConfigError with one sentence for anything that cannot be done */
export async function run(args: readonly string[], io: Io): Promise<void> {
  const { values, positionals } = read(args)
  const [first, ...rest] = positionals
  if (values.help === true) return io.out(help)
  if (first === 'decode') return io.out(`${await decodeToJson(decodeFlags(values), rest, io)}\n`)
  for (const flag of ['api', 'message', 'version', 'type', 'frame'] as const) {
    if (values[flag] !== undefined) throw new ConfigError(`--${flag} belongs to odradek protocol decode.`)
  }
  const release = values['as-version'] ?? null
  if (release !== null && !isRelease(release)) {
    throw new ConfigError(`--as-version must be one of ${releases.join(', ')}, but it is '${release}'.`)
  }
  const served = servedApis({ 'odradek.as.version': release })
  if (first === undefined) return io.out(listText(served, apis.length))
  if (rest.length > 1) throw new ConfigError('Give one API and one version, as in odradek protocol produce 9.')
  const api = apiOf(first)
  io.out(layoutText(api, versionOf(api, rest[0] ?? String(api.latestStable))))
}

function read(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new ConfigError(`${(error as Error).message.split(/[.\n]/)[0]}; odradek protocol --help says what there is.`)
  }
}

function decodeFlags(values: ReturnType<typeof read>['values']): DecodeFlags {
  const { version } = values
  const type = typeOf(values.type)
  const api = values.api === undefined ? undefined : apiOf(values.api)
  const flags = { api, message: values.message, type, frame: values.frame === true }
  if (version === undefined) return { ...flags, version: undefined }
  if (!/^\d{1,5}$/.test(version)) throw new ConfigError(`--version must be a number, but it is '${version}'.`)
  return { ...flags, version: Number(version) }
}

function typeOf(text: string | undefined): DecodeFlags['type'] {
  if (text === undefined || text === 'request' || text === 'response') return text
  throw new ConfigError(`--type must be request or response, but it is '${text}'.`)
}

/** By key, or by name whatever its case, with or without dashes: produce, list-offsets, 18. */
function apiOf(text: string): Api {
  const plain = (name: string): string => name.replaceAll(/[-_]/g, '').toLowerCase()
  const api = apis.find(({ key, name }) => String(key) === text || plain(name) === plain(text))
  if (api) return api
  const similar = nearest(
    plain(text),
    apis.map(({ name }) => plain(name)),
  )
  const hint = similar === undefined ? '' : ` Did you mean ${apis.find(({ name }) => plain(name) === similar)!.name}?`
  throw new ConfigError(`There is no API '${text}'; odradek protocol lists those served.${hint}`)
}

function versionOf(api: Api, text: string): number {
  const [first, last] = api.versions
  const version = Number(text)
  if (!/^\d+$/.test(text) || version < first || version > last) {
    throw new ConfigError(`${api.name} has the versions ${first} to ${last}, but not '${text}'.`)
  }
  return version
}
