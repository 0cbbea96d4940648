// What a repair must never do: drop what it has not kept, stop half way, or say less is lost than is.
import { beforeAll, describe, expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/encode.ts'
import { codecReady } from '../../protocol/records/compression.ts'
import { formatOffsetCheckpoint } from '../../storage/checkpoint.ts'
import type { Files } from '../../storage/files.ts'
import { memoryFiles } from '../../storage/files-memory.ts'
import { inspectEntries } from '../../storage/inspect.ts'
import * as names from '../../storage/names.ts'
import { keepingLogs } from '../../storage/repair-guard.ts'
import { planRepair } from '../../storage/repair-plan.ts'
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

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n)
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
