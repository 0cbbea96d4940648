// `odradek verify`: every batch, index, checkpoint and snapshot of data directories. Reads only. Loaded only when asked for.
import { basename, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { codecReady } from '../../../protocol/records/compression.ts'
import { errorCode } from '../../../storage/errors.ts'
import type { Files } from '../../../storage/files.ts'
import { diskFiles } from '../../../storage/files-disk.ts'
import { checkPartition, checkTop, readDirectory, type DirectoryState } from '../../../storage/inspect-dir.ts'
import { isInspectable } from '../../../storage/inspect.ts'
import type { Fault, FolderReport } from '../../../storage/inspect-verify.ts'
import * as names from '../../../storage/names.ts'
import { ConfigError } from '../../config/index.ts'
import { processors, startWorker } from '../../runtime/workers.ts'
import { Output, type Io } from '../output.ts'
import type { Answer } from './verify-folder.ts'

export interface VerifyIo extends Io {
  /** Standard error is a terminal: progress is shown there. */
  readonly errTerminal: boolean
  now(): number
}

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

const MAX_THREADS = 8

/** @throws ConfigError with one sentence for anything that cannot be done */
export async function run(args: readonly string[], io: VerifyIo): Promise<void> {
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
  readonly io: VerifyIo
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
  const progress = new Progress(io, wanted.length, bytesOf(files, wanted))
  const reports = await checkAll(target, state, wanted, { ...way, inUse: holder !== null }, progress)
  progress.clear()
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

const logsOf = (files: Files, folder: string): string[] =>
  files.list(folder).filter(name => name.endsWith(names.LOG_SUFFIX))

/** By folder, for progress; what cannot be read counts nothing here, and is told when it is checked. */
function bytesOf(files: Files, folders: readonly string[]): Map<string, number> {
  const orZero = (bytes: () => number): number => {
    try {
      return bytes()
    } catch (error) {
      if (errorCode(error) === undefined) throw error
      return 0
    }
  }
  const size = (folder: string): number =>
    orZero(() =>
      logsOf(files, folder).reduce((sum, name) => sum + orZero(() => files.size(names.join(folder, name))), 0),
    )
  return new Map(folders.map(folder => [folder, size(folder)]))
}

async function checkAll(
  { directory, files }: Target,
  state: DirectoryState,
  folders: readonly string[],
  { threads, inUse }: Way & { readonly inUse: boolean },
  progress: Progress,
): Promise<FolderReport[]> {
  const file = workerFile()
  const reports = new Map<string, FolderReport>()
  // The largest first, so that none is left alone at the end.
  const queue = folders.toSorted((a, b) => (progress.sizes.get(b) ?? 0) - (progress.sizes.get(a) ?? 0))
  const done = (report: FolderReport): void => {
    reports.set(report.folder, report)
    progress.folder()
  }
  const parallel = Math.min(threads, folders.length)
  if (file === null || parallel < 2) {
    for (const folder of queue) {
      done(checkPartition(files, state, folder, { onBytes: bytes => progress.add(bytes), inUse }))
    }
  } else {
    const work = Array.from({ length: parallel }, () => checkInThread(file, directory, queue, done, progress))
    await Promise.all(work)
  }
  return folders.map(folder => reports.get(folder)!)
}

async function checkInThread(
  file: string,
  directory: string,
  queue: string[],
  done: (report: FolderReport) => void,
  progress: Progress,
): Promise<void> {
  const worker = startWorker<string, Answer>(file, directory)
  const finished = new Promise<void>((end, failed) => {
    const next = (): void => {
      const folder = queue.shift()
      if (folder === undefined) end()
      else worker.ask(folder)
    }
    worker.listen(answer => {
      if ('bytes' in answer) return progress.add(answer.bytes)
      done(answer.report)
      next()
    }, failed)
    next()
  })
  try {
    await finished
  } finally {
    await worker.stop()
  }
}

/** Beside this file in the package; the sources have none, and do with one thread. */
function workerFile(): string | null {
  return typeof __filename === 'string' && __filename.endsWith('.cjs')
    ? join(dirname(__filename), 'verify-worker.cjs')
    : null
}

/** A line on the terminal that is written over. */
class Progress {
  readonly sizes: ReadonlyMap<string, number>
  readonly #io: VerifyIo
  readonly #folders: number
  readonly #bytes: number
  #foldersDone = 0
  #bytesDone = 0
  #shownAt = 0

  constructor(io: VerifyIo, folders: number, sizes: ReadonlyMap<string, number>) {
    this.#io = io
    this.#folders = folders
    this.sizes = sizes
    this.#bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  }

  add(bytes: number): void {
    this.#bytesDone += bytes
    this.#show()
  }

  folder(): void {
    this.#foldersDone++
    this.#show()
  }

  clear(): void {
    if (this.#io.errTerminal) this.#io.err('\r\x1b[K')
  }

  #show(): void {
    if (!this.#io.errTerminal || this.#io.now() - this.#shownAt < 100) return
    this.#shownAt = this.#io.now()
    const share = this.#bytes === 0 ? 100 : Math.floor((100 * this.#bytesDone) / this.#bytes)
    this.#io.err(
      `\r\x1b[K${share}%: ${this.#foldersDone} of ${this.#folders} partitions, ${megabytes(this.#bytesDone)} of ${megabytes(this.#bytes)}`,
    )
  }
}

function threadsOf(text: string | undefined): number {
  if (text === undefined) return Math.min(MAX_THREADS, processors())
  if (/^\d{1,3}$/.test(text) && Number(text) > 0) return Number(text)
  throw new ConfigError(`--threads must be a number above 0, but it is '${text}'.`)
}

function read(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new ConfigError(`${(error as Error).message.split(/[.\n]/)[0]}; odradek verify --help says what there is.`)
  }
}
