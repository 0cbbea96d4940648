// Damage of every kind, seeded: it is found, mended, and nothing is lost but what the plan says.
import { beforeAll, describe, expect, test } from 'vitest'
import { codecReady } from '../../protocol/records/compression.ts'
import type { Files } from '../../storage/files.ts'
import { memoryFiles } from '../../storage/files-memory.ts'
import { checkTop, contextOf, readDirectory } from '../../storage/inspect-dir.ts'
import { inspectEntries } from '../../storage/inspect.ts'
import { checkFolder } from '../../storage/inspect-verify.ts'
import { planRepair } from '../../storage/repair-plan.ts'
import type { RepairPlan } from '../../storage/repair-plan.ts'
import { repair } from '../../storage/repair.ts'
import { randomOf } from '../fuzz/random.ts'
import { damage, kindsOf } from './damage.ts'
import { kafkaDirs, unpack } from './kafka-dirs.ts'
import type { KafkaDir } from './kafka-dirs.ts'

beforeAll(async () => {
  await codecReady(4)
})

/** One partition of a directory, with what lies at the top. */
function partitionOf(dir: KafkaDir, folder: string): Files {
  const files = memoryFiles()
  const all = directory(dir)
  for (const name of all.list('')) if (!all.isFolder(name)) files.writeAtomic(name, all.readAll(name))
  files.mkdir(folder)
  for (const name of all.list(folder)) files.writeAtomic(`${folder}/${name}`, all.readAll(`${folder}/${name}`))
  return files
}

const unpacked = new Map<KafkaDir, Files>()
function directory(dir: KafkaDir): Files {
  const files = unpacked.get(dir) ?? unpack(dir)
  unpacked.set(dir, files)
  return files
}

function faultsOf(files: Files) {
  const state = readDirectory(files)
  const reports = state.folders.map(folder => checkFolder(files, folder, contextOf(state, folder)))
  return [...state.faults, ...reports.flatMap(({ faults }) => faults), ...checkTop(files, state, reports)]
}

const wrong = (files: Files) => faultsOf(files).filter(({ isNote }) => !isNote)

/** Value of each record by its offset, as far as the log can be read. */
function recordsOf(files: Files, folder: string): Map<number, string> {
  const found = new Map<number, string>()
  for (const name of files.list(folder).filter(one => one.endsWith('.log'))) {
    for (const entry of inspectEntries(files, `${folder}/${name}`)) {
      const json = 'line' in entry ? entry.json() : {}
      if (json['type'] === 'record') found.set(json['offset'] as number, JSON.stringify([json['key'], json['value']]))
    }
  }
  return found
}

const contents = (files: Files, folder: string): Map<string, string> =>
  new Map(files.list(folder).map(name => [name, files.readAll(`${folder}/${name}`).toString('latin1')]))

const isLost = (plan: RepairPlan, offset: number): boolean =>
  plan.folders
    .flatMap(({ segments }) => segments.flatMap(({ bad }) => bad))
    .some(({ lost }) => lost !== null && offset >= lost.from && offset <= (lost.to ?? Infinity))

const folders = ['segments-0', 'transactions-0', 'plain-1', 'stored-zstd-0', 'gzip-0', 'append-time-0', 'compacted-0']

/** What is as good as before, each with its reason. */
function isHarmless(path: string, kind: string): boolean {
  // Indexes are sparse; whether a whole entry is missing cannot be told.
  if (path.endsWith('index') && ['an entry gone', 'the file cut'].includes(kind)) return true
  // A crash of Apache Kafka leaves zeros, which a start takes away.
  if (path.endsWith('index') && kind === 'zeros behind the end') return true
  // Other epochs, offsets or ids can be as right as those before.
  return /checkpoint$|metadata$/.test(path)
}

/** Records that are gone without a trace in the files. */
const isTraceless = (kind: string): boolean => ['a batch gone', 'the file cut behind a batch'].includes(kind)

/** One damaged partition. */
function damaged(index: number) {
  const random = randomOf(20_260, index)
  const folder = random.pick(folders)
  const dir = random.pick(kafkaDirs)
  const files = partitionOf(dir, folder)
  const logs = files.list(folder).filter(name => name.endsWith('.log') && files.size(`${folder}/${name}`) > 0)
  const others = files.list(folder).filter(name => kindsOf(name).length > 0 && name !== 'partition.metadata')
  // Half of the cases are damage to a log.
  const path = `${folder}/${random.pick(random.chance(0.5) ? logs : others)}`
  const original = recordsOf(files, folder)
  return { files, folder, path, original, done: damage(files, path, random.pick(kindsOf(path)), random) }
}

describe('damage', () => {
  const cases = Array.from({ length: 60 }, (_, index) => index)

  test.each(cases)('case %i is found, mended, and said', async index => {
    const { files, folder, path, original, done } = damaged(index)
    if (done === null) return
    // Named in what fails.
    const about = <T>(value: T) => ({ path, kind: done.kind, value })
    const before = contents(files, folder)
    if (!isHarmless(path, done.kind)) {
      // That offsets are missing may be compaction's work: a note.
      const found = isTraceless(done.kind) ? faultsOf(files) : wrong(files)
      expect(about(found.length > 0)).toEqual(about(true))
    }
    const plan = planRepair(files)
    expect(contents(files, folder)).toEqual(before)
    expect(about(plan.left)).toEqual(about([]))
    const aside = memoryFiles()
    await repair(plan, { files, aside, directory: '/data', now: 1_795_000_000_000 })
    expect(about(wrong(files))).toEqual(about([]))
    const after = recordsOf(files, folder)
    const gone = [...original.keys()].filter(offset => !after.has(offset))
    const unsaid = isTraceless(done.kind) ? [] : gone.filter(offset => !isLost(plan, offset))
    expect(about(unsaid)).toEqual(about([]))
    const changed = [...after].filter(([offset, record]) => original.get(offset) !== record)
    expect(about(changed)).toEqual(about([]))
    const manifest = JSON.parse(aside.readAll('manifest.json').toString()) as Manifest
    expect(manifest.done).toBe(true)
    const unlike = manifest.saved.filter(({ file, position, bytes, kept }) => {
      if (!file.startsWith(folder)) return false
      const was = Buffer.from(before.get(file.slice(folder.length + 1)) ?? '', 'latin1')
      return !aside.readAll(kept).equals(was.subarray(position, position + bytes))
    })
    expect(about(unlike)).toEqual(about([]))
  })
})

interface Manifest {
  readonly done: boolean
  readonly saved: readonly { file: string; position: number; bytes: number; kept: string }[]
}

describe('what a repair does', () => {
  const segment = 'segments-0/00000000000000001100.log'
  const mended = async (files: Files) => {
    const plan = planRepair(files)
    await repair(plan, { files, aside: memoryFiles(), directory: '/data', now: 0 })
    return plan
  }

  test('an empty batch stands for the offsets of a bad one, so that the log has no hole', async () => {
    const files = partitionOf('kafka-4.3.1-clean', 'segments-0')
    const data = files.readAll(segment)
    data[50_000]! ^= 1
    files.writeAtomic(segment, data)
    await mended(files)
    const batches = [...inspectEntries(files, segment, { records: false })]
      .map(entry => ('line' in entry ? entry.json() : {}))
      .filter(({ type }) => type === 'batch')
    const empty = batches.filter(({ count }) => count === 0)
    expect(empty).toMatchObject([{ baseOffset: 1150, lastOffset: 1199, isValid: true }])
    batches.reduce((end, batch) => {
      expect(batch['baseOffset']).toBe(end)
      return (batch['lastOffset'] as number) + 1
    }, 1100)
  })

  test('a base offset, which no checksum covers, is put right where the batches around it tell', async () => {
    const files = partitionOf('kafka-4.3.1-clean', 'segments-0')
    const before = recordsOf(files, 'segments-0')
    const data = files.readAll(segment)
    data[45_701 + 6]! ^= 4
    files.writeAtomic(segment, data)
    const plan = await mended(files)
    expect(plan.folders[0]?.segments[0]?.bad).toEqual([])
    expect(recordsOf(files, 'segments-0')).toEqual(before)
  })

  test('the middle of the metadata log is not touched', () => {
    const files = partitionOf('kafka-4.3.1-clean', '__cluster_metadata-0')
    const path = '__cluster_metadata-0/00000000000000000000.log'
    const data = files.readAll(path)
    data[Math.floor(data.byteLength / 2)]! ^= 1
    files.writeAtomic(path, data)
    const plan = planRepair(files)
    expect(plan.folders).toEqual([])
    expect(plan.left[0]?.why).toContain('in a state that never was')
  })

  test('a broken snapshot of the metadata log goes where the log, or another one, holds the same', async () => {
    const folder = '__cluster_metadata-0'
    const files = partitionOf('kafka-4.3.1-clean', folder)
    const good = files.readAll('bootstrap.checkpoint')
    const cut = good.subarray(0, -10)
    const snapshot = (offset: number) => `${folder}/${String(offset).padStart(20, '0')}-0000000001.checkpoint`
    files.writeAtomic(snapshot(10), good)
    expect(wrong(files)).toEqual([])
    files.writeAtomic(snapshot(20), cut)
    expect(planRepair(files).folders[0]?.drop).toEqual([snapshot(20)])
    // As after a cut of the log.
    for (const name of files.list(folder).filter(one => one.startsWith('00000000000000000000.'))) {
      files.rename(`${folder}/${name}`, `${folder}/${name.replace('00000000000000000000.', '00000000000000000005.')}`)
    }
    files.writeAtomic(`${folder}/00000000000000000005.log`, Buffer.alloc(0))
    expect(planRepair(files).folders[0]?.drop).toContain(snapshot(20))
    files.writeAtomic(snapshot(10), cut)
    expect(planRepair(files).left.map(({ fault }) => fault.path)).toEqual([snapshot(10), snapshot(20)])
  })

  test('the readable lines of the log starts are kept, other broken checkpoints go', async () => {
    const files = partitionOf('kafka-4.3.1-clean', 'truncated-head-0')
    for (const name of ['log-start', 'recovery-point', 'replication'].map(start => `${start}-offset-checkpoint`)) {
      files.writeAtomic(name, Buffer.concat([files.readAll(name), Buffer.from('garbage\n')]))
    }
    await mended(files)
    expect(readDirectory(files)).toMatchObject({ logStartOffsets: new Map([['truncated-head-0', 1500]]), faults: [] })
    expect(files.exists('recovery-point-offset-checkpoint')).toBe(false)
  })

  test('a topic id comes from another partition, or from the metadata log', async () => {
    const files = unpack('kafka-4.3.1-clean')
    const ids = ['plain-1', 'gzip-0'].map(folder => files.readAll(`${folder}/partition.metadata`).toString())
    for (const folder of ['plain-1', 'gzip-0'])
      files.writeAtomic(
        `${folder}/partition.metadata`,
        Buffer.from('version: 7\ntopic_id: no no no no no no no no no\n'),
      )
    await mended(files)
    expect(['plain-1', 'gzip-0'].map(folder => files.readAll(`${folder}/partition.metadata`).toString())).toEqual(ids)
  })

  test('a log start behind the end of its log is left to the operator', () => {
    const files = partitionOf('kafka-4.3.1-clean', 'plain-1')
    files.writeAtomic('log-start-offset-checkpoint', Buffer.from('0\n1\nplain 1 99999\n'))
    const plan = planRepair(files)
    expect(plan.top).toEqual([])
    expect(plan.left[0]?.why).toContain('begins the log anew at 99999')
  })
})
