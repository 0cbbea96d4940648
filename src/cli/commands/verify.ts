// `odradek verify`: every batch, index, checkpoint and snapshot of data directories. Reads only. Loaded only when asked for.
import { basename, dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { codecReady } from '../../../protocol/records/compression.ts'
import type { Files } from '../../../storage/files.ts'
import { diskFiles } from '../../../storage/files-disk.ts'
import { checkTop, readDirectory, type DirectoryState } from '../../../storage/inspect-dir.ts'
import { isInspectable } from '../../../storage/inspect.ts'
import type { Fault, FolderReport } from '../../../storage/inspect-verify.ts'
import * as names from '../../../storage/names.ts'
import { ConfigError } from '../../config/index.ts'
import { Output } from '../output.ts'
import { checkAll, threadsOf, type ProgressIo } from './each-folder.ts'

const help = `odradek verify [flags] DIR...      checks every batch, index, checkpoint and snapshot of a data directory

DIR is a data directory of Odradek or of Apache Kafka, the folder of a partition, or a file in it. Nothing is written. A broker
may run on it; then a fault at the end of a log may be a write that was under way.

  --threads N    partitions that are checked at the same time (default: one for each processor, at most 8)
  --json         one JSON object a line: faults, partitions, a summary

Exit code 0: nothing is wrong. 1: there are faults, each named with its file and position. Notes are no faults.
`

const options = {
  threads: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** @throws ConfigError with one sentence for anything that cannot be done */
export async function run(args: readonly string[], io: ProgressIo): Promise<void> {
  const { values, positionals } = read(args)
  if (values.help === true) return io.out(help)
  if (positionals.length === 0) throw new ConfigError('Name the directory to check; odradek verify --help says more.')
  const threads = threadsOf(values.threads)
  await codecReady(4)
  const output = new Output(io)
  let faults = 0
  for (const given of positionals) {
    faults += await verifyTarget(targetOf(given), { threads, isJson: values.json === true, io, output })
  }
  await output.end()
  if (faults > 0) io.exit(1)
}

interface Target {
  readonly directory: string
  readonly files: Files
  /** A single partition's folder, '' for all there are. */
  readonly folder: string
  /** A single file, null for all there are. */
  readonly file: string | null
}

/** @throws ConfigError when it is nothing of a log directory */
function targetOf(given: string): Target {
  const path = resolve(given)
  const files = diskFiles(path)
  if (!files.exists('')) throw new ConfigError(`There is no ${given}.`)
  if (!files.isFolder('')) {
    if (!isInspectable(path)) throw new ConfigError(`${given} is no file of a log directory.`)
    const folder = targetOf(dirname(path))
    return { ...folder, file: names.join(folder.folder, basename(path)) }
  }
  const isPartition = files.list('').some(name => name.endsWith(names.LOG_SUFFIX))
  if (!isPartition) return { directory: path, files, folder: '', file: null }
  return { directory: dirname(path), files: diskFiles(dirname(path)), folder: basename(path), file: null }
}

interface Way {
  readonly threads: number
  readonly isJson: boolean
  readonly io: ProgressIo
  readonly output: Output
}

/** @returns the number of faults */
async function verifyTarget(target: Target, way: Way): Promise<number> {
  const { files, directory, folder, file } = target
  const { io, isJson, output } = way
  const started = io.now()
  const holder = files.lockHolder?.(names.LOCK_FILE) ?? null
  if (holder !== null) {
    io.err(
      `${directory} is in use by the running process ${holder}: what is found is of a moment, and may be under way.\n`,
    )
  }
  const state = readDirectory(files)
  const wanted = folder === '' ? state.folders : [folder]
  if (wanted.length === 0 && !files.exists(names.META_PROPERTIES_FILE)) {
    throw new ConfigError(
      `${directory} is no data directory: it has neither meta.properties nor folders of partitions.`,
    )
  }
  const { threads } = way
  const reports = await checkAll({ directory, files, state, folders: wanted, threads, io, inUse: holder !== null })
  const top = folder === '' ? [...state.faults, ...checkTop(files, state, reports)] : []
  const all = [...top, ...reports.flatMap(report => report.faults)]
  const found = file === null ? all : all.filter(({ path }) => path === file)
  for (const fault of found) {
    output.line(
      isJson
        ? JSON.stringify({ ...fault, isNote: undefined, type: fault.isNote ? 'note' : 'fault' })
        : faultText(fault),
    )
    if (output.full) await output.end()
  }
  if (isJson) {
    for (const { faults, ...report } of reports) {
      output.line(
        JSON.stringify({ type: 'partition', ...report, faults: faults.filter(({ isNote }) => !isNote).length }),
      )
      if (output.full) await output.end()
    }
  }
  const sum = sumOf(directory, reports, found, state, holder, io.now() - started)
  output.line(isJson ? JSON.stringify(sum) : sumText(sum))
  return sum.faults
}

function faultText({ path, position, problem, isNote, heals }: Fault): string {
  const where = position === null ? path : `${path} at ${position}`
  return `${isNote ? 'note: ' : ''}${where}: ${problem}${heals ? ' (the next start mends it)' : ''}`
}

type Sum = ReturnType<typeof sumOf>

function sumOf(
  directory: string,
  reports: readonly FolderReport[],
  faults: readonly Fault[],
  state: DirectoryState,
  inUseBy: number | null,
  milliseconds: number,
) {
  const total = (of: (report: FolderReport) => number): number => reports.reduce((sum, report) => sum + of(report), 0)
  const notes = faults.filter(({ isNote }) => isNote).length
  return {
    type: 'summary',
    directory,
    cleanShutdown: state.clean,
    inUseBy,
    partitions: reports.length,
    segments: total(report => report.segments),
    batches: total(report => report.batches),
    records: total(report => report.records),
    bytes: total(report => report.bytes),
    faults: faults.length - notes,
    notes,
    milliseconds,
  }
}

function sumText(sum: Sum): string {
  const what = `${count(sum.partitions, 'partition')}, ${count(sum.segments, 'segment')}, ${count(sum.batches, 'batch', 'batches')} (${megabytes(sum.bytes)}) in ${(sum.milliseconds / 1000).toFixed(1)} s`
  const notes = sum.notes === 0 ? '' : `, ${count(sum.notes, 'note')}`
  return `${sum.directory}: ${what}: ${sum.faults === 0 ? 'nothing is wrong' : count(sum.faults, 'fault')}${notes}`
}

const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`
const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

function read(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new ConfigError(`${(error as Error).message.split(/[.\n]/)[0]}; odradek verify --help says what there is.`)
  }
}
