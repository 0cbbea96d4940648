// What a repair must never do: drop what it has not kept, stop half way, or say less is lost than is.
import { beforeAll, describe, expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/encode.ts'
import { codecReady } from '../../protocol/records/compression.ts'
import { encodeMessageSet } from '../../protocol/records/legacy.ts'
import { formatOffsetCheckpoint } from '../../storage/checkpoint.ts'
import type { Files } from '../../storage/files.ts'
import { memoryFiles } from '../../storage/files-memory.ts'
import { inspectEntries } from '../../storage/inspect.ts'
import { checkPartition, readDirectory } from '../../storage/inspect-dir.ts'
import { logEntries } from '../../storage/inspect-log.ts'
import { survey } from '../../storage/inspect-survey.ts'
import * as names from '../../storage/names.ts'
import { keepingLogs } from '../../storage/repair-guard.ts'
import { planRepair } from '../../storage/repair-plan.ts'
import type { RepairPlan } from '../../storage/repair-plan.ts'
import { repair } from '../../storage/repair.ts'

beforeAll(async () => {
  await codecReady(4)
})

const META = 'version=1\nnode.id=1\ncluster.id=x\ndirectory.id=AAAAAAAAAAAAAAAAAAAABg\n'

/** A batch of so many records. */
const batch = (baseOffset: number, count = 10): Buffer =>
  encodeBatch({
    baseOffset,
    leaderEpoch: 0,
    records: Array.from({ length: count }, (_, n) => ({ key: null, value: Buffer.from(`${baseOffset + n}`) })),
  })

/** The same with another base offset, which its checksum does not cover. */
function moved(bytes: Buffer, offset: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeBigInt64BE(BigInt(offset), 0)
  return copy
}

/** Messages of magic 0 or 1, one by one. */
const messages = (magic: 0 | 1, ...offsets: number[]): Buffer[] =>
  offsets.map(offset =>
    encodeMessageSet({ magic, messages: [{ offset, timestamp: 1, key: null, value: Buffer.from(`${offset}`) }] }),
  )

/** Directories after an orderly stop, by folder and base offset of the segment. */
function directory(folders: Record<string, Record<number, readonly Buffer[]>>, compacted = false): Files {
  const files = memoryFiles()
  files.writeAtomic('meta.properties', Buffer.from(META))
  files.writeAtomic('.kafka_cleanshutdown', Buffer.from('{"version":0,"brokerEpoch":1}'))
  for (const [folder, segments] of Object.entries(folders)) {
    files.mkdir(folder)
    for (const [base, batches] of Object.entries(segments)) {
      files.writeAtomic(names.join(folder, names.logFile(Number(base))), Buffer.concat(batches))
    }
  }
  if (compacted) {
    const entries = Object.keys(folders).map(name => ({ topic: name.slice(0, -2), partition: 0, offset: 1 }))
    files.writeAtomic('cleaner-offset-checkpoint', formatOffsetCheckpoint(entries))
  }
  return files
}

async function mend(files: Files) {
  const plan = planRepair(files)
  const aside = memoryFiles()
  const failed = await repair(plan, { files, aside, directory: '/data', now: 0 })
  return { plan, aside, failed, manifest: JSON.parse(aside.readAll('manifest.json').toString()) as { done: boolean } }
}

function offsetsOf(files: Files, folder: string): number[] {
  const logs = files.list(folder).filter(name => name.endsWith('.log'))
  return logs.flatMap(name =>
    [...inspectEntries(files, names.join(folder, name))].flatMap(entry => {
      const json = 'line' in entry ? entry.json() : {}
      return json['type'] === 'record' ? [json['offset'] as number] : []
    }),
  )
}

/** Offsets and values agree. */
const values = (files: Files, path: string): string[] =>
  [...inspectEntries(files, path)].flatMap(entry => {
    const json = 'line' in entry ? entry.json() : {}
    return json['type'] === 'record' ? [`${String(json['offset'])}=${String(json['value'])}`] : []
  })

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n)
const lostOf = (plan: RepairPlan) =>
  plan.folders.flatMap(({ segments }) => segments.flatMap(({ bad }) => bad.flatMap(({ lost }) => lost ?? [])))

const GARBAGE = Buffer.from('garbage')

describe('a rebuild keeps the log', () => {
  const three = () => ({ 0: [batch(0)], 10: [batch(10)], 20: [batch(20)] })

  test('when the checkpoint of the log starts lies behind its end', async () => {
    const files = directory({ 't-0': three() })
    files.writeAtomic('log-start-offset-checkpoint', Buffer.from('0\n1\nt 0 1000\n'))
    files.writeAtomic('t-0/leader-epoch-checkpoint', GARBAGE)
    const { plan, failed, manifest } = await mend(files)
    expect(plan.left.map(({ why }) => why)).toEqual([expect.stringContaining('begins the log anew at 1000')])
    expect(offsetsOf(files, 't-0')).toEqual(range(0, 29))
    expect(files.list('t-0').filter(name => name.endsWith('.deleted'))).toEqual([])
    expect([failed, manifest.done]).toEqual([[], true])
  })

  test('where the recovery would drop segments: it is refused, said, and the folder is as before', async () => {
    const files = directory({ 't-0': three(), 'u-0': { 0: [batch(0)] } })
    for (const folder of ['t-0', 'u-0']) files.writeAtomic(`${folder}/leader-epoch-checkpoint`, GARBAGE)
    const plan = planRepair(files)
    // Seen by the recovery, not by the plan.
    files.writeAtomic('t-0/00000000000000000000.log', Buffer.concat([batch(0), batch(15)]))
    files.writeAtomic('t-0/00000000000000000010.index', Buffer.alloc(8))
    const aside = memoryFiles()
    const failed = await repair(plan, { files, aside, directory: '/data', now: 0 })
    expect(failed).toEqual([{ folder: 't-0', problem: expect.stringContaining('it was left as it is') }])
    expect(files.list('t-0').filter(name => name.endsWith('.log'))).toHaveLength(3)
    expect(files.readAll('t-0/00000000000000000010.index')).toEqual(Buffer.alloc(8))
    expect(files.list('t-0').filter(name => name.endsWith('.deleted'))).toEqual([])
    expect(files.exists('u-0/00000000000000000000.index')).toBe(true)
    expect(JSON.parse(aside.readAll('manifest.json').toString())).toMatchObject({ done: false, failed })
  })

  test('nothing cuts, replaces, renames or removes a log through the guard; other files it may', () => {
    const files = directory({ 't-0': three() })
    const path = 't-0/00000000000000000010.log'
    const before = files.readAll(path)
    const guarded = keepingLogs(files, 't-0')
    const log = guarded.open(path, 'write')
    for (const act of [
      () => log.truncate(1),
      () => log.writeAt(GARBAGE, 0),
      () => log.append([GARBAGE]),
      () => guarded.rename(path, `${path}.deleted`),
      () => guarded.rename('meta.properties', path),
      () => guarded.remove(path),
      () => guarded.removeDir('t-0'),
      () => guarded.writeAtomic(path, GARBAGE),
      () => guarded.writeUnsynced(path, GARBAGE),
    ])
      expect(act).toThrow('it was left as it is')
    log.truncate(before.byteLength)
    expect(files.readAll(path)).toEqual(before)
    guarded.writeAtomic('t-0/x.index', GARBAGE)
    guarded.remove('t-0/x.index')
    expect(files.exists('t-0/x.index')).toBe(false)
  })
})

describe('a repair goes on', () => {
  test('with a partition.metadata that nothing can mend: the log and its indexes are', async () => {
    const bad = batch(0)
    bad[70]! ^= 1
    const files = directory({ 't-0': { 0: [bad, batch(10)] }, 'u-0': { 0: [batch(0)] } })
    const id = Buffer.from('version: 9\ntopic_id: AAAAAAAAAAAAAAAAAAAABQ!!!!!!!!!!!!!!!!!!!!!!\n')
    files.writeAtomic('t-0/partition.metadata', id)
    files.writeAtomic('u-0/leader-epoch-checkpoint', GARBAGE)
    const { failed, manifest } = await mend(files)
    expect([failed, manifest.done]).toEqual([[], true])
    expect(files.readAll('t-0/partition.metadata')).toEqual(id)
    expect(files.exists('t-0/00000000000000000000.index')).toBe(true)
    expect(files.readAll('u-0/leader-epoch-checkpoint')).not.toEqual(GARBAGE)
    expect(files.exists('u-0/partition.metadata')).toBe(false)
  })
})

describe('messages of magic 0 and 1', () => {
  const correct = ['0=0', '1=1', '2=2', '3=3', '4=4', '5=5', '6=6']

  test.each([
    ['0, the last of a segment', 0, 2],
    ['1, the last of a segment', 1, 2],
    ['0, in the middle', 0, 1],
    ['1, in the middle', 1, 1],
  ] as const)('an offset that no checksum covers, of magic %s, is put right; no segment goes', async (_, magic, n) => {
    const first = messages(magic, 0, 1, 2)
    first[n] = moved(first[n]!, 2 ** 20)
    const files = directory({ 't-0': { 0: first, 3: messages(magic, 3, 4, 5), 6: messages(magic, 6) } })
    files.writeAtomic('t-0/leader-epoch-checkpoint', GARBAGE)
    const { plan, failed } = await mend(files)
    expect(failed).toEqual([])
    expect(plan.folders[0]?.segments[0]?.fields).toMatchObject([{ found: 2 ** 20, expected: n }])
    const logs = files.list('t-0').filter(name => name.endsWith('.log'))
    expect(logs.flatMap(name => values(files, `t-0/${name}`))).toEqual(correct)
  })

  test('a compressed one that lies beyond its segment goes alone, and what is lost is said', async () => {
    const inner = [2, 3].map(offset => ({ offset, timestamp: 1, key: null, value: Buffer.from(`${offset}`) }))
    const wrapper = moved(encodeMessageSet({ magic: 1, codec: 1, messages: inner }), 2 ** 20)
    const files = directory({ 't-0': { 0: [...messages(1, 0, 1), wrapper], 4: messages(1, 4, 5) } })
    const { plan, failed } = await mend(files)
    expect(failed).toEqual([])
    expect(lostOf(plan)).toEqual([{ from: 2, to: 3 }])
    expect(offsetsOf(files, 't-0')).toEqual([0, 1, 4, 5])
  })

  test('bad bytes of one take nothing with them that follows', async () => {
    const first = messages(1, 0, 1, 2)
    first[1]![first[1]!.byteLength - 1]! ^= 1
    const files = directory({ 't-0': { 0: first } })
    const { plan } = await mend(files)
    expect(lostOf(plan)).toEqual([{ from: 1, to: 1 }])
    expect(offsetsOf(files, 't-0')).toEqual([0, 2])
  })
})

describe('who lies in a compacted log', () => {
  test.each([
    ['the batch behind it tells', [batch(40)], {}],
    ['the next segment tells', [], { 40: [batch(40)] }],
  ])('a batch behind a gap is believed, and the one behind it put right: %s', async (_, behind, more) => {
    const segments = { 0: [batch(0), batch(20), moved(batch(30), 25), ...behind], ...more }
    const files = directory({ 't-0': segments }, true)
    const { plan } = await mend(files)
    expect(plan.folders[0]?.segments).toMatchObject([{ bad: [], fields: [{ found: 25, expected: 30 }] }])
    const good = directory({ 't-0': { 0: [batch(0), batch(20), batch(30), ...behind] } })
    const path = 't-0/00000000000000000000.log'
    expect(files.readAll(path)).toEqual(good.readAll(path))
  })

  test('a batch that goes aside is lost as far as no other one has its offsets', () => {
    // Nothing tells which of the last two is right.
    const files = directory({ 't-0': { 0: [batch(0), batch(20), moved(batch(30), 25)] } }, true)
    expect(lostOf(planRepair(files))).toEqual([{ from: 20, to: 24 }])
  })

  test('a batch that is there twice is not lost', () => {
    const files = directory({ 't-0': { 0: [batch(0), batch(10), batch(0), batch(20)] } })
    const plan = planRepair(files)
    expect(plan.folders[0]?.segments[0]?.bad).toHaveLength(1)
    expect(lostOf(plan)).toEqual([])
  })
})

describe('files are closed by those who ask for no more', () => {
  function counting(files: Files): { files: Files; open: () => number } {
    let open = 0
    const counted: Files = {
      ...files,
      open(path, mode) {
        const handle = files.open(path, mode)
        open++
        return { ...handle, close: () => void open-- }
      },
    }
    return { files: counted, open: () => open }
  }
  const path = 't-0/00000000000000000000.log'

  test.each([
    ['survey', (files: Files) => survey(files, path, { from: 0, to: Infinity, base: 0 })],
    ['logEntries', (files: Files) => logEntries(files, path)],
  ])('%s', (_, walk) => {
    const { files, open } = counting(directory({ 't-0': { 0: [batch(0), batch(10)] } }))
    for (const piece of walk(files)) {
      expect([open(), piece]).toEqual([1, piece])
      break
    }
    expect(open()).toBe(0)
    expect([...walk(files)].length).toBeGreaterThan(1)
    expect(open()).toBe(0)
  })
})

describe('a file that cannot be read', () => {
  const path = 't-0/00000000000000000000.log'
  const failing = (files: Files, code: string): Files => ({
    ...files,
    size(at) {
      if (at === path) throw Object.assign(new Error(`${code}: ${path}`), { code })
      return files.size(at)
    },
  })
  const two = () => directory({ 't-0': { 0: [batch(0)] }, 'u-0': { 0: [batch(0)] } })

  test('leaves its folder, and what the checkpoints say of it, as they are; the next one is mended', () => {
    const files = two()
    files.writeAtomic('log-start-offset-checkpoint', Buffer.from('0\n1\nt 0 5\n'))
    files.writeAtomic('recovery-point-offset-checkpoint', Buffer.from('0\n1\nt 0 10\n'))
    files.writeAtomic('u-0/leader-epoch-checkpoint', GARBAGE)
    const plan = planRepair(failing(files, 'EIO'))
    expect(plan.left).toMatchObject([{ fault: { path: 't-0', problem: expect.stringContaining('cannot be read') } }])
    expect([plan.folders.map(({ folder }) => folder), plan.top]).toEqual([['u-0'], []])
  })

  test('is a note where a running broker removed it, a fault where it is there or nobody runs', () => {
    const files = two()
    const state = readDirectory(files)
    const isNote = (through: Files, inUse: boolean) =>
      checkPartition(through, state, 't-0', { inUse }).faults.map(fault => fault.isNote)
    expect(isNote(failing(files, 'ENOENT'), true)).toEqual([false])
    let lists = 0
    const gone: Files = {
      ...failing(files, 'ENOENT'),
      // Odd looks are those of the check itself.
      list: folder => files.list(folder).filter(name => lists++ % 2 === 0 || !path.endsWith(name)),
    }
    expect(isNote(gone, true)).toEqual([true])
    lists = 0
    expect(isNote(gone, false)).toEqual([false])
  })
})
