// The folders of a data directory, several at a time: each thread takes the largest that is left. `verify` checks them, `repair`
// plans what to do about them. Progress is a line on the terminal that is written over.
import { join } from 'node:path'
import { errorCode } from '../../../storage/errors.ts'
import type { Files } from '../../../storage/files.ts'
import { checkPartition, type DirectoryState } from '../../../storage/inspect-dir.ts'
import type { FolderReport } from '../../../storage/inspect-verify.ts'
import * as names from '../../../storage/names.ts'
import { planPartition, type PlannedFolder } from '../../../storage/repair-plan.ts'
import { ConfigError } from '../../config/index.ts'
import { processors, startWorker } from '../../runtime/workers.ts'
import type { Io } from '../output.ts'

export interface ProgressIo extends Io {
  /** Standard error is a terminal: progress is shown there. */
  readonly errTerminal: boolean
  now(): number
}

/** What is asked of a thread: to check a folder, or to plan its repair as well. */
export interface Question {
  readonly folder: string
  readonly plans: boolean
  /** A broker runs on the directory: files that go meanwhile are worth a note. */
  readonly inUse: boolean
}

/** Bytes that were read, or the end of a folder. */
export type Answer = { readonly bytes: number } | { readonly done: FolderReport | PlannedFolder }

export interface Survey {
  readonly directory: string
  readonly files: Files
  readonly state: DirectoryState
  readonly folders: readonly string[]
  readonly threads: number
  readonly io: ProgressIo
  /** Whether a broker runs on the directory. */
  readonly inUse: boolean
}

/** In the order of the folders. */
export const checkAll = (o: Survey): Promise<FolderReport[]> =>
  surveyAll(o, false, (folder, onBytes) => checkPartition(o.files, o.state, folder, { onBytes, inUse: o.inUse }))

/** The same, with what a repair would do. */
export const planAll = (o: Survey): Promise<PlannedFolder[]> =>
  surveyAll(o, true, (folder, onBytes) => planPartition(o.files, o.state, folder, onBytes))

const MAX_THREADS = 8

/** @throws ConfigError for what is no number of threads */
export function threadsOf(text: string | undefined): number {
  if (text === undefined) return Math.min(MAX_THREADS, processors())
  if (/^\d{1,3}$/.test(text) && Number(text) > 0) return Number(text)
  throw new ConfigError(`--threads must be a number above 0, but it is '${text}'.`)
}

async function surveyAll<Done extends FolderReport | PlannedFolder>(
  o: Survey,
  plans: boolean,
  here: (folder: string, onBytes: (bytes: number) => void) => Done,
): Promise<Done[]> {
  const { folders, threads, directory, inUse } = o
  const sizes = bytesOf(o.files, folders)
  const progress = new Progress(o.io, folders.length, sizes)
  const found = new Map<string, Done>()
  // The largest first, so that none is left alone at the end.
  const queue = folders.toSorted((a, b) => (sizes.get(b) ?? 0) - (sizes.get(a) ?? 0))
  const done = (folder: string, result: Done): void => {
    found.set(folder, result)
    progress.folder()
  }
  const file = workerFile()
  const parallel = Math.min(threads, folders.length)
  if (file === null || parallel < 2) {
    for (const folder of queue)
      done(
        folder,
        here(folder, bytes => progress.add(bytes)),
      )
  } else {
    const next = (): Question | null => {
      const folder = queue.shift()
      return folder === undefined ? null : { folder, plans, inUse }
    }
    const work = Array.from({ length: parallel }, () => surveyInThread(file, directory, next, done, progress))
    await Promise.all(work)
  }
  progress.clear()
  return folders.map(folder => found.get(folder)!)
}

async function surveyInThread<Done extends FolderReport | PlannedFolder>(
  file: string,
  directory: string,
  nextQuestion: () => Question | null,
  done: (folder: string, result: Done) => void,
  progress: Progress,
): Promise<void> {
  const worker = startWorker<Question, Answer>(file, directory)
  const finished = new Promise<void>((end, failed) => {
    let folder = ''
    const next = (): void => {
      const question = nextQuestion()
      if (question === null) return end()
      ;({ folder } = question)
      worker.ask(question)
    }
    worker.listen(answer => {
      if ('bytes' in answer) return progress.add(answer.bytes)
      done(folder, answer.done as Done)
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
    ? join(__filename, '..', 'verify-worker.cjs')
    : null
}

const logsOf = (files: Files, folder: string): string[] =>
  files.list(folder).filter(name => name.endsWith(names.LOG_SUFFIX))

/** By folder; what cannot be read counts nothing here, and is told when it is checked. */
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

const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

class Progress {
  readonly #io: ProgressIo
  readonly #folders: number
  readonly #bytes: number
  #foldersDone = 0
  #bytesDone = 0
  #shownAt = 0

  constructor(io: ProgressIo, folders: number, sizes: ReadonlyMap<string, number>) {
    this.#io = io
    this.#folders = folders
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
