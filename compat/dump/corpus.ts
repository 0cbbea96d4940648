// Damaged files, seeded, from directories that Apache Kafka wrote: what its tool says of each, and what ours does. The verdicts
// must agree; where ours is stricter the reason is one of a list. What both print must be the same lines.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run as runDump } from '../../src/cli/commands/dump.ts'
import { diskFiles } from '../../storage/files-disk.ts'
import type { Files } from '../../storage/files.ts'
import { memoryFiles } from '../../storage/files-memory.ts'
import { checkFolder } from '../../storage/inspect-verify.ts'
import * as names from '../../storage/names.ts'
import { repair } from '../../storage/repair.ts'
import { planRepair } from '../../storage/repair-plan.ts'
import { codecReady } from '../../protocol/records/compression.ts'
import { encodeMessageSet } from '../../protocol/records/legacy.ts'
import { randomOf, type Random } from '../../tests/fuzz/random.ts'
import { damage, kindsOf } from '../../tests/storage/damage.ts'
import { unpack } from '../../tests/storage/kafka-dirs.ts'
import { jars } from '../oracle/kafka.ts'
import { VERSION } from './dump.ts'

interface Case {
  readonly label: string
  readonly folder: string
  readonly compacted: boolean
  /** Arguments of each run of the tool. */
  readonly runs: readonly (readonly string[])[]
}

interface Answer {
  /** What the tool threw; null when it came to its end. */
  readonly thrown: string | null
  readonly out: string
  readonly err: string
}

export interface Verdicts {
  readonly cases: number
  readonly damaged: number
  /** Both find fault, both find none. */
  readonly bothBad: number
  readonly bothGood: number
  /** Ours alone finds fault: how often, by reason. */
  readonly stricter: Readonly<Record<string, number>>
  /** Folders that were repaired, and in which the tool then finds nothing wrong. */
  readonly repaired: number
  /** Runs of the tool whose lines were compared. */
  readonly runs: number
  /** Sentences about what does not agree. */
  readonly differences: readonly string[]
}

/** What the tool does not look at, and ours finds. */
const stricter: Readonly<Record<string, RegExp>> = {
  'the leader epoch of a batch': /its leader epoch is/,
  'zeros behind the entries of an index, which mislead look-ups': /zeros lie behind the last entry/,
  'the last time index entry does not tell the largest timestamp': /does not tell the largest timestamp/,
  'a magic that does not exist': /its magic is not known/,
  'transaction index entries, which it only prints': /\.txnindex/,
  'index entries behind one that looks like the end': /goes on behind an entry of zeros/,
  'a time index entry of a timestamp that comes again': /is not above/,
  'entries of an index in the wrong order': /does not rise above the one before/,
  'batches out of order in a compacted log, where it expects gaps': /, but what follows at |, which is not behind /,
  'a size that holds no whole entry': /is no multiple of/,
}

const ENDINGS = ['.log', '.log', '.log', '.index', '.timeindex', '.txnindex', '.snapshot']
const FOLDERS = [
  'plain-0',
  'plain-1',
  'segments-0',
  'truncated-head-0',
  'gzip-0',
  'stored-lz4-0',
  'stored-zstd-0',
  'stored-snappy-0',
  'append-time-0',
  'transactions-0',
  'transactions-1',
  'compacted-0',
]

const INTERNAL = [
  ...[0, 1, 2, 3].map(n => [`__consumer_offsets-${n}`, '--offsets-decoder'] as const),
  ...[0, 1, 2, 3].map(n => [`__transaction_state-${n}`, '--transaction-log-decoder'] as const),
  ['__cluster_metadata-0', '--cluster-metadata-decoder'] as const,
]

/** @param work an empty folder */
export async function judge(seed: number, count: number, work: string): Promise<Verdicts> {
  await codecReady(4)
  const sources = (['kafka-3.9.1-clean', 'kafka-4.3.1-clean'] as const).map(name => unpack(name))
  const cases: Case[] = []
  // The folders as they are come first: nothing may be wrong with them.
  for (const [n, source] of sources.entries()) {
    for (const folder of FOLDERS) cases.push(intact(source, folder, join(work, `intact-${n}`)))
  }
  for (const [n, source] of sources.entries()) {
    for (const [folder, decoder] of INTERNAL) cases.push(decoded(source, folder, decoder, join(work, `internal-${n}`)))
  }
  cases.push(oldFormats(join(work, 'old')))
  const untouched = cases.length
  for (let index = 0; cases.length - untouched < count; index++) {
    const random = randomOf(seed, index)
    const made = damaged(random.pick(sources), random, join(work, `case-${index}`))
    if (made !== null) cases.push({ ...made, label: `${index}: ${made.label}` })
  }
  const answers = ask(cases.flatMap(({ runs }) => runs))
  const verdicts = await compare(cases, answers, cases.length - untouched)
  const { repaired, complaints } = await repairAll(cases.slice(untouched))
  return { ...verdicts, repaired, differences: [...verdicts.differences, ...complaints] }
}

/** Repairs every damaged folder that has a fault, and asks the tool again, of all its files. */
async function repairAll(cases: readonly Case[]): Promise<{ repaired: number; complaints: string[] }> {
  const mended: Case[] = []
  for (const one of cases) {
    const [parent, folder] = [dirname(one.folder), basename(one.folder)]
    const files = diskFiles(parent)
    const plan = planRepair(files)
    if (plan.folders.length === 0) continue
    await repair(plan, { files, aside: memoryFiles(), directory: parent, now: 0 })
    mended.push({ ...one, label: `${one.label}, repaired`, runs: runsFor(one.folder, files.list(folder)) })
  }
  const answers = ask(mended.flatMap(({ runs }) => runs))
  let at = 0
  const complaints = mended.flatMap(one => {
    const theirs = answers.slice(at, (at += one.runs.length))
    // Offsets without records are what a repair leaves.
    const found = theirs.flatMap(answer => complaintsOf(answer, true))
    return found.length === 0 ? [] : [`${one.label}: Kafka says ${found[0]}`]
  })
  return { repaired: mended.length, complaints }
}

function copy(source: Files, folder: string, target: string): string {
  mkdirSync(join(target, folder), { recursive: true })
  for (const name of source.list(folder)) {
    writeFileSync(join(target, folder, name), source.readAll(names.join(folder, name)))
  }
  return join(target, folder)
}

function intact(source: Files, folder: string, target: string): Case {
  const path = copy(source, folder, target)
  return {
    label: `intact ${folder}`,
    folder: path,
    compacted: isCompacted(folder),
    runs: runsFor(path, source.list(folder)),
  }
}

function decoded(source: Files, folder: string, decoder: string, target: string): Case {
  const path = copy(source, folder, target)
  const logs = source.list(folder).filter(name => name.endsWith('.log'))
  const runs = logs.map(name => ['--files', join(path, name), decoder])
  return { label: `intact ${folder}`, folder: path, compacted: true, runs }
}

/** Message sets of magic 0 and 1, as Kafka 0.8 and 0.10 wrote them, with each codec they had. */
function oldFormats(target: string): Case {
  const folder = join(target, 'old-0')
  mkdirSync(folder, { recursive: true })
  let offset = 0
  const sets = ([0, 1] as const).flatMap(magic =>
    [0, 1, 2, 3].flatMap(codec => {
      const messages = [0, 1, 2].map(n => ({
        offset: offset++,
        timestamp: magic === 0 ? -1 : 1_700_000_000_000 + n,
        key: n === 0 ? null : Buffer.from(`key ${n}`),
        value: n === 1 ? null : Buffer.from(`value ${n} of magic ${magic}`),
      }))
      return [encodeMessageSet({ magic, codec, messages })]
    }),
  )
  const log = join(folder, names.logFile(0))
  writeFileSync(log, Buffer.concat(sets))
  for (const name of [names.offsetIndexFile(0), names.timeIndexFile(0)]) writeFileSync(join(folder, name), '')
  const run = ['--files', log]
  return { label: 'old formats', folder, compacted: false, runs: [run, [...run, '--print-data-log']] }
}

const isCompacted = (folder: string): boolean => folder === 'compacted-0'

function damaged(source: Files, random: Random, target: string): Case | null {
  const folder = random.pick(FOLDERS)
  const ending = random.pick(ENDINGS)
  const candidates = source.list(folder).filter(name => name.endsWith(ending) && source.size(`${folder}/${name}`) > 0)
  if (candidates.length === 0) return null
  const name = random.pick(candidates)
  const path = copy(source, folder, target)
  const kind = random.pick(kindsOf(name))
  if (damage(diskFiles(path), name, kind, random) === null) return null
  // The files of the segment: damage to a log shows in its indexes.
  const beside = source.list(folder).filter(other => names.offsetOfFile(other) === names.offsetOfFile(name))
  const files = name.endsWith('.snapshot') ? [name] : beside.filter(other => !other.endsWith('.snapshot'))
  return {
    label: `${folder}/${name}: ${kind}`,
    folder: path,
    compacted: isCompacted(folder),
    runs: runsFor(path, files),
  }
}

function runsFor(folder: string, fileNames: readonly string[]): string[][] {
  return fileNames.flatMap(name => {
    const run = ['--files', join(folder, name)]
    if (name.endsWith('.log')) return [[...run, '--deep-iteration']]
    if (/\.(?:time)?index$/.test(name)) return [run, [...run, '--index-sanity-check']]
    return /\.(?:txnindex|snapshot)$/.test(name) ? [run] : []
  })
}

function ask(runs: readonly (readonly string[])[]): Answer[] {
  const program = join(dirname(fileURLToPath(import.meta.url)), 'java/Judge.java')
  const jvm = ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Dlog4j2.level=OFF', '-Dfile.encoding=UTF-8']
  const { status, stdout, stderr } = spawnSync('java', [...jvm, '-cp', jars(VERSION), program], {
    input: runs.map(run => `${run.join('\t')}\n`).join(''),
    maxBuffer: 1 << 30,
  })
  if (status !== 0) throw new Error(`exit code ${status}: ${String(stderr)}`)
  const answers: Answer[] = []
  for (let at = 0; at < stdout.byteLength;) {
    const line = stdout.indexOf('\n', at)
    const [, thrown, out, err] = /^RUN (\S+) (\d+) (\d+)$/.exec(stdout.toString('utf8', at, line)) ?? []
    if (thrown === undefined) throw new Error(`no answer begins at byte ${at}`)
    const middle = line + 1 + Number(out)
    at = middle + Number(err)
    answers.push({
      thrown: thrown === '-' ? null : thrown,
      out: stdout.toString('utf8', line + 1, middle),
      err: withoutFirstOffset(stdout.toString('utf8', middle, at)),
    })
  }
  if (answers.length !== runs.length) throw new Error(`${answers.length} answers to ${runs.length} questions`)
  return answers
}

/** The tool misses the records before a segment's first one, of healthy segments too: said with -1. */
function withoutFirstOffset(err: string): string {
  const block = /^Non-consecutive offsets in .*\/0*(\d+)\.log\n(?: {2}.*\n)*/gm
  return err.replaceAll(block, (text: string, base: string) => {
    const [title, ...pairs] = text.trimEnd().split('\n')
    const left = pairs.filter(pair => pair !== `  -1 is followed by ${base}`)
    return left.length === 0 ? '' : `${[title, ...left].join('\n')}\n`
  })
}

async function compare(
  cases: readonly Case[],
  answers: readonly Answer[],
  damagedCount: number,
): Promise<Omit<Verdicts, 'repaired'>> {
  const differences: string[] = []
  const reasons: Record<string, number> = {}
  let [bothBad, bothGood, at] = [0, 0, 0]
  for (const one of cases) {
    const theirs = answers.slice(at, (at += one.runs.length))
    for (const [n, run] of one.runs.entries()) {
      const difference = await textDifference(run, theirs[n]!)
      if (difference !== null) differences.push(`${one.label}: ${difference}`)
    }
    const complaints = theirs.flatMap(answer => complaintsOf(answer, one.compacted))
    const faults = faultsOf(one)
    const reason = Object.entries(stricter).find(([, pattern]) => faults.some(fault => pattern.test(fault)))?.[0]
    if (complaints.length > 0 && faults.length > 0) bothBad++
    else if (complaints.length === 0 && faults.length === 0) bothGood++
    else if (complaints.length === 0 && reason !== undefined) reasons[reason] = (reasons[reason] ?? 0) + 1
    else differences.push(`${one.label}: Kafka says ${complaints[0] ?? 'nothing'}, we say ${faults[0] ?? 'nothing'}`)
  }
  return {
    cases: cases.length,
    damaged: damagedCount,
    bothBad,
    bothGood,
    stricter: reasons,
    runs: answers.length,
    differences,
  }
}

/** Why the tool finds fault. */
function complaintsOf({ thrown, out, err }: Answer, compacted: boolean): string[] {
  const complaints = thrown === null ? [] : [thrown]
  const said = /isvalid: false|Found \d+ invalid bytes/.exec(out)?.[0]
  if (said !== undefined) complaints.push(said)
  // Compaction leaves out offsets.
  const meant = compacted && err.startsWith('Non-consecutive')
  if (err !== '' && !meant) complaints.push(err.split('\n')[0]!)
  return complaints
}

/** Of a directory after an orderly stop. That offsets are missing is a note of ours, and a complaint of the tool. */
function faultsOf({ folder, compacted }: Case): string[] {
  const at = folder.lastIndexOf('/')
  const context = { clean: true, recoveryPoint: Number.MAX_SAFE_INTEGER, compacted }
  return checkFolder(diskFiles(folder.slice(0, at)), folder.slice(at + 1), context)
    .faults.filter(({ isNote, problem }) => !isNote || /are missing before it|are lost with/.test(problem))
    .map(({ path, problem }) => `${path}: ${problem}`)
}

/** Where the tool gave up, its lines must be the beginning of ours. */
async function textDifference(run: readonly string[], theirs: Answer): Promise<string | null> {
  let [out, err] = ['', '']
  await runDump(run, {
    out: text => void (out += text),
    err: text => void (err += text),
    drained: () => Promise.resolve(),
    exit: () => undefined,
    errTerminal: false,
    now: () => 0,
  })
  const file = run.slice(1).join(' ')
  const end = theirs.thrown === null ? theirs.out : theirs.out.slice(0, theirs.out.lastIndexOf('\n') + 1)
  if (theirs.thrown === null ? out !== end : !out.startsWith(end)) {
    const [a, b] = [end.split('\n'), out.split('\n')]
    const n = a.findIndex((line, index) => line !== b[index])
    return `${file} prints ${JSON.stringify(a[n])}, we ${JSON.stringify(b[n])}`
  }
  // Of snapshots it has other words; the rest of a torn transaction index it does not mention.
  const inOtherWords = /\.(?:snapshot|txnindex)$/.test(file)
  if (theirs.thrown === null && !inOtherWords && err !== theirs.err) {
    return `${file} complains ${JSON.stringify(theirs.err.slice(0, 300))}, we ${JSON.stringify(err.slice(0, 300))}`
  }
  return null
}
