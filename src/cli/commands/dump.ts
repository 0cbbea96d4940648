// `odradek dump`: any file of a log directory as text, or as JSON, with the options and the lines of Kafka's DumpLogSegments.
// Loaded only when asked for.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { codecReady } from '../../../protocol/records/compression.ts'
import type { Files } from '../../../storage/files.ts'
import { diskFiles } from '../../../storage/files-disk.ts'
import { Findings } from '../../../storage/inspect-entry.ts'
import { inspectEntries, isInspectable, type InspectOptions, type RecordPrinter } from '../../../storage/inspect.ts'
import { printClusterMetadata, printControlRecord, printCoordinatorRecord } from '../../../storage/inspect-records.ts'
import * as names from '../../../storage/names.ts'
import { ConfigError } from '../../config/index.ts'
import { Output, type Io } from '../output.ts'
import type { ProgressIo } from './each-folder.ts'
import { run as verify } from './verify.ts'

const help = `odradek dump [flags] FILES...      prints files of a log directory, or all files of a folder

Any file: logs, indexes, transaction indexes, producer snapshots, snapshots of the metadata log, checkpoints,
partition.metadata, meta.properties, quorum-state. What Apache Kafka's kafka-dump-log can read is printed in its lines.

  --deep-iteration              a line for each record, too
  --print-data-log              records with keys and values
  --decode                      the same, and records of internal topics decoded, by the name of the folder
  --offsets-decoder, --transaction-log-decoder, --cluster-metadata-decoder, --share-group-state-decoder
                                the same, whatever the folder is called
  --skip-record-metadata        of records only keys and values
  --max-bytes N                 of logs only the first N bytes
  --max-message-size N          how far indexes are followed for the end of a batch (default 5 MiB)
  --verify-index-only           of indexes only what does not agree with the log
  --index-sanity-check          of indexes only what a start of Apache Kafka looks at
  --json                        one JSON object a line
  --verify                      checks instead of printing, as odradek verify does
  --files FILE,FILE...          as Kafka's tool has it
`

const options = {
  files: { type: 'string' },
  'deep-iteration': { type: 'boolean' },
  'print-data-log': { type: 'boolean' },
  decode: { type: 'boolean' },
  'offsets-decoder': { type: 'boolean' },
  'transaction-log-decoder': { type: 'boolean' },
  'cluster-metadata-decoder': { type: 'boolean' },
  'share-group-state-decoder': { type: 'boolean' },
  'skip-record-metadata': { type: 'boolean' },
  'max-bytes': { type: 'string' },
  'max-message-size': { type: 'string' },
  'verify-index-only': { type: 'boolean' },
  'index-sanity-check': { type: 'boolean' },
  json: { type: 'boolean' },
  verify: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** By their flags, in the order of Kafka's tool. */
const decoders = {
  'offsets-decoder': printCoordinatorRecord('group'),
  'transaction-log-decoder': printCoordinatorRecord('transaction'),
  'cluster-metadata-decoder': printClusterMetadata,
  'share-group-state-decoder': printCoordinatorRecord('share'),
}

const decoderOfTopic: Readonly<Record<string, RecordPrinter>> = {
  __consumer_offsets: decoders['offsets-decoder'],
  __transaction_state: decoders['transaction-log-decoder'],
  [names.CLUSTER_METADATA_TOPIC]: decoders['cluster-metadata-decoder'],
  __share_group_state: decoders['share-group-state-decoder'],
}

type Values = ReturnType<typeof read>['values']

/** @throws ConfigError with one sentence for anything that cannot be done */
export async function run(args: readonly string[], io: Io & ProgressIo): Promise<void> {
  const { values, positionals } = read(args)
  if (values.help === true) return io.out(help)
  const given = [...(values.files?.split(',') ?? []), ...positionals].filter(path => path !== '')
  if (given.length === 0) throw new ConfigError('Name the files to print; odradek dump --help says what there is.')
  if (values.verify === true) return verify([...given, ...(values.json === true ? ['--json'] : [])], io)
  await codecReady(4)
  for (const flag of ['max-bytes', 'max-message-size'] as const) numberOf(values[flag], flag)
  const output = new Output(io)
  const findings = new Findings()
  let unreadable = false
  try {
    for (const path of given.flatMap(filesOf)) {
      if (!(await dumpFile(path, values, findings, output))) unreadable = true
    }
    for (const line of findings.lines()) output.err(line)
  } finally {
    // What was told before something went wrong, too.
    await output.end()
  }
  if (unreadable) io.exit(1)
}

/** @returns whether all of it could be read */
async function dumpFile(shown: string, values: Values, findings: Findings, output: Output): Promise<boolean> {
  const [folder, name] = split(shown)
  const isJson = values.json === true
  if (!isJson) output.line(`Dumping ${shown}`)
  if (!isInspectable(name)) {
    output.err(`Ignoring unknown file ${shown}`)
    return true
  }
  findings.path = resolve(shown)
  let readable = true
  try {
    for (const entry of inspectEntries(diskFiles(folder), name, { ...inspectOptions(shown, values), findings })) {
      if ('problem' in entry) {
        readable = false
        if (isJson) output.line(JSON.stringify({ file: shown, type: 'problem', ...entry }))
        else output.err(`${shown}: ${entry.problem}`)
      } else output.line(isJson ? JSON.stringify({ file: shown, ...entry.json() }) : entry.line)
      if (output.full) await output.end()
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined || !/^E[A-Z]+$/.test(code)) throw error
    output.err(`${shown}: ${code === 'ENOENT' ? 'there is no such file' : message}`)
    return false
  }
  return readable
}

function inspectOptions(path: string, values: Values): Omit<InspectOptions, 'findings'> {
  const flag = (Object.keys(decoders) as (keyof typeof decoders)[]).find(name => values[name] === true)
  const topic = names.parseFolder(split(resolve(path))[0].split('/').at(-1) ?? '')?.topic ?? ''
  const byTopic = values.decode === true ? decoderOfTopic[topic] : undefined
  const print = flag === undefined ? byTopic : decoders[flag]
  const printsData = values['print-data-log'] === true || values.decode === true || print !== undefined
  const maxBytes = numberOf(values['max-bytes'], 'max-bytes')
  const maxMessageBytes = numberOf(values['max-message-size'], 'max-message-size')
  return {
    records: printsData || values['deep-iteration'] === true,
    printControl: printControlRecord,
    ...(print === undefined ? (printsData ? {} : { print: null }) : { print }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(maxMessageBytes === undefined ? {} : { maxMessageBytes }),
    skipMetadata: values['skip-record-metadata'] === true,
    verifyOnly: values['verify-index-only'] === true,
    sanityOnly: values['index-sanity-check'] === true,
    shown: () => path,
  }
}

/** The path itself, or what a folder holds. */
function filesOf(given: string): string[] {
  const path = given.replaceAll(/\/+/g, '/').replace(/(?<=.)\/$/, '')
  const files = diskFiles(path)
  return files.isFolder('') ? filesIn(files, '').map(name => `${path}/${name}`) : [path]
}

function filesIn(files: Files, folder: string): string[] {
  return files.list(folder).flatMap(name => {
    const path = names.join(folder, name)
    if (files.isFolder(path)) return filesIn(files, path)
    return isInspectable(name) ? [path] : []
  })
}

function split(path: string): [folder: string, name: string] {
  const at = path.lastIndexOf('/')
  return [at < 0 ? '.' : path.slice(0, at) || '/', path.slice(at + 1)]
}

function numberOf(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new ConfigError(`--${flag} must be a number, but it is '${text}'.`)
}

function read(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new ConfigError(`${(error as Error).message.split(/[.\n]/)[0]}; odradek dump --help says what there is.`)
  }
}
