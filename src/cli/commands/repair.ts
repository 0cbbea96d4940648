// `odradek repair`: says what is wrong with a data directory and what can be done about it; with --yes does it.
// Loaded only when asked for.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { codecReady } from '../../../protocol/records/compression.ts'
import type { Files } from '../../../storage/files.ts'
import { LockedError } from '../../../storage/files.ts'
import { diskFiles } from '../../../storage/files-disk.ts'
import { checkTop, readDirectory } from '../../../storage/inspect-dir.ts'
import * as names from '../../../storage/names.ts'
import { repair, type FailedFolder } from '../../../storage/repair.ts'
import { planFrom, type FolderRepair, type RepairPlan, type SegmentRepair } from '../../../storage/repair-plan.ts'
import { ConfigError } from '../../config/index.ts'
import { stampOf } from '../../runtime/clock.ts'
import { Output } from '../output.ts'
import { checkAll, planAll, threadsOf, type ProgressIo, type Survey } from './each-folder.ts'

const help = `odradek repair [flags] DIR      mends a data directory; without --yes it only says what it would do

Indexes, producer snapshots and leader epochs are built anew from the log. Of a log itself only what is proved wrong goes: a torn
end is cut off, and in the place of bad batches in the middle comes an empty one, so that offsets stay as they are. Whatever goes
or is written over is kept in a folder beside DIR, with a manifest. No broker may run on DIR.

  --yes          does it
  --threads N    partitions that are read at the same time (default: one for each processor, at most 8)
  --aside DIR    where to keep what goes (default: DIR.repair-TIME)

Exit code 0: nothing was wrong, or nothing is wrong any more. 1: otherwise.
`

const options = {
  yes: { type: 'boolean', short: 'y' },
  aside: { type: 'string' },
  threads: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/** @throws ConfigError with one sentence for anything that cannot be done */
export async function run(args: readonly string[], io: ProgressIo): Promise<void> {
  const { values, positionals } = read(args)
  if (values.help === true) return io.out(help)
  const [given, ...more] = positionals
  if (given === undefined || more.length > 0) {
    throw new ConfigError('Name one data directory; odradek repair --help says more.')
  }
  const directory = resolve(given)
  const files = diskFiles(directory)
  if (!files.exists('') || !files.isFolder('')) throw new ConfigError(`There is no directory ${given}.`)
  if (readDirectory(files).folders.length === 0 && !files.exists(names.META_PROPERTIES_FILE)) {
    throw new ConfigError(`${given} is no data directory: it has neither meta.properties nor folders of partitions.`)
  }
  const threads = threadsOf(values.threads)
  await codecReady(4)
  const output = new Output(io)
  const unlock = lock(files, directory, values.yes === true)
  try {
    const survey = (): Survey => {
      const state = readDirectory(files)
      return { directory, files, state, folders: state.folders, threads, io, inUse: false }
    }
    const first = survey()
    const plan = planFrom(files, first.state, await planAll(first))
    const lines = describe(plan)
    for (const line of lines) output.line(line)
    const isRight =
      values.yes === true ? await carryOut(plan, first, survey, values.aside, output) : ask(plan, given, output)
    await output.end()
    if (!isRight) io.exit(1)
  } finally {
    unlock()
  }
}

/** A look needs no lock; a running broker is spoken of all the same. @throws ConfigError when one holds it and we need it */
function lock(files: Files, directory: string, needed: boolean): () => void {
  const refused = (pid: number): ConfigError =>
    new ConfigError(`${directory} is in use by the running process ${pid}: stop it first.`)
  const holder = files.lockHolder?.(names.LOCK_FILE) ?? null
  if (holder !== null) throw refused(holder)
  if (!needed) return () => undefined
  try {
    return files.lock(names.LOCK_FILE)
  } catch (error) {
    if (error instanceof LockedError) throw refused(error.pid)
    throw error
  }
}

/** @returns whether nothing is wrong */
function ask(plan: RepairPlan, given: string, output: Output): boolean {
  const steps = plan.folders.length + plan.top.length
  if (steps === 0 && plan.left.length === 0) {
    output.line('Nothing is wrong.')
    return true
  }
  if (steps > 0) output.line(`Nothing was written. odradek repair --yes ${given} does this.`)
  return false
}

/** @returns whether nothing is wrong any more */
async function carryOut(
  plan: RepairPlan,
  { files, directory, io }: Survey,
  again: () => Survey,
  aside: string | undefined,
  output: Output,
): Promise<boolean> {
  let failed: readonly FailedFolder[] = []
  if (plan.folders.length + plan.top.length > 0) {
    const kept = resolve(aside ?? `${directory}.repair-${stampOf(io.now())}`)
    const keep = diskFiles(kept)
    if (keep.exists('') && keep.list('').length > 0) throw new ConfigError(`${kept} is not empty: nothing was changed.`)
    if (`${kept}/`.startsWith(`${directory}/`))
      throw new ConfigError(`${kept} lies in the data directory: nothing was changed.`)
    failed = await repair(plan, { files, aside: keep, directory, now: io.now() })
    for (const { folder, problem } of failed) output.line(`${folder} could not be repaired: ${problem}`)
    output.line(
      `${failed.length === 0 ? 'Done' : 'Done as far as it goes'}. What went, or was written over, is in ${kept}; manifest.json there tells what was where.`,
    )
  }
  const after = again()
  const { state } = after
  const reports = await checkAll(after)
  const found = [...state.faults, ...reports.flatMap(({ faults }) => faults), ...checkTop(files, state, reports)]
  const faults = found.filter(({ isNote }) => !isNote)
  for (const { path, problem } of faults) output.line(`Still wrong: ${path}: ${problem}`)
  const isRight = faults.length === 0 && failed.length === 0
  if (isRight) output.line('Nothing is wrong.')
  return isRight
}

function describe({ folders, top, left }: RepairPlan): string[] {
  const lines = folders.flatMap(describeFolder)
  for (const { path, offsets, why } of top) {
    lines.push(
      `${path}: ${why}`,
      offsets === null ? '  moves aside: a start does without it' : `  is written anew with ${offsets.size} entries`,
    )
  }
  for (const { fault, why } of left) {
    lines.push(`${fault.path}: ${fault.problem}`, `  cannot be repaired here: ${why}`)
  }
  return lines
}

function describeFolder({ folder, segments, drop, rebuild, topicId, faults }: FolderRepair): string[] {
  const lines = faults.map(
    ({ path, position, problem }) => `${path}${position === null ? '' : ` at ${position}`}: ${problem}`,
  )
  for (const segment of segments) lines.push(...describeSegment(segment))
  for (const path of drop) lines.push(`  ${names.nameOf(path)} moves aside`)
  if (topicId !== null) lines.push(`  ${names.PARTITION_METADATA_FILE} is written anew with the topic id ${topicId}`)
  if (rebuild) lines.push(`  indexes, producer snapshots and leader epochs of ${folder} are built anew from its log`)
  return lines
}

function describeSegment({ path, bad, missing, fields, moved }: SegmentRepair): string[] {
  const name = names.nameOf(path)
  const lines = bad.map(({ position, size, lost }) => {
    const what = `  ${name}: ${size} bytes at ${position} move aside`
    if (lost === null) return `${what}: no offsets are lost`
    if (lost.to === null) return `${what}: records from offset ${lost.from} on are lost, the log ends there`
    return `${what}: the records of offsets ${lost.from} to ${lost.to} are lost`
  })
  if (missing !== null)
    lines.push(
      `  ${name}: an empty batch at its end stands for offsets ${missing.from} to ${missing.to}, which are missing`,
    )
  for (const { position, first, last } of moved) {
    lines.push(`  ${name}: the batch at ${position} moves to where its offsets, ${first} to ${last}, belong`)
  }
  for (const { position, name: field, found, expected } of fields) {
    lines.push(`  ${name}: the ${field} at ${position} becomes ${expected}, not ${found}: all around it says so`)
  }
  return lines
}

function read(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new ConfigError(`${(error as Error).message.split(/[.\n]/)[0]}; odradek repair --help says what there is.`)
  }
}
