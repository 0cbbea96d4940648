/** Snapshots on the disk: when they are written, what is cut, what a start makes of them, whole, damaged and half written. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Arena } from '../../../storage/arena.ts'
import { crashFiles, type CrashFiles } from '../../../storage/files-crash.ts'
import type { Files } from '../../../storage/files.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { KAFKA_STORAGE_ERROR, KafkaError } from '../../../protocol/errors.ts'
import { createTopics, deleteTopics } from '../../../src/cluster/controller.ts'
import { Metadata } from '../../../src/cluster/metadata.ts'
import { planSnapshotRetention } from '../../../src/cluster/snapshot-files.ts'
import { readSnapshot } from '../../../src/cluster/snapshot.ts'
import type { SnapshotRules } from '../../../src/cluster/snapshotter.ts'
import { defaultSettings, openMetadataLog, type MetadataLogSettings } from '../../../src/cluster/storage-log.ts'
import { contents, createRequest, idsFrom, options, registration } from './support.ts'

const FOLDER = '__cluster_metadata-0'
const never: SnapshotRules = { maxBytes: 1 << 30, intervalMs: 0 }

interface StartOptions {
  readonly cleanShutdown?: boolean
  readonly settings?: Partial<MetadataLogSettings>
  readonly snapshots?: SnapshotRules
  readonly clock?: { now: number }
  readonly flush?: boolean
  readonly pause?: () => Promise<void>
}

async function start(files: Files, o: StartOptions = {}) {
  const { cleanShutdown = false, clock = { now: 1_700_000_000_000 }, flush = true } = o
  const now = () => clock.now
  const errors: Error[] = []
  const settings = { ...defaultSettings, ...o.settings }
  const arena = new Arena({ slabBytes: 64 * 1024 })
  const pause = o.pause ?? (() => Promise.resolve())
  const log = openMetadataLog({ files, arena, cleanShutdown, now, flush, settings, pause })
  const metadata = await Metadata.open({
    log,
    quorumState: log.quorumState,
    nodeId: 1,
    now,
    registration: { ...registration, cleanShutdown },
    onError: error => errors.push(error),
    snapshots: o.snapshots ?? never,
    maxBatchBytes: 1000,
  })
  return { log, metadata, errors, clock }
}
type Started = Awaited<ReturnType<typeof start>>

let ids = 1
const create = ({ metadata }: Pick<Started, 'metadata'>, name: string, numPartitions = 1) =>
  metadata.submit(image =>
    createTopics(image, createRequest([{ name, numPartitions }]), options({ newTopicId: idsFrom(ids++) })),
  )
const remove = ({ metadata }: Pick<Started, 'metadata'>, name: string) =>
  metadata.submit(image =>
    deleteTopics(image, { topicNames: [name], topics: [], timeoutMs: 0 }, { enabled: true, apiVersion: 5 }),
  )
const snapshotsIn = (files: Files) => files.list(FOLDER).filter(name => name.includes('.checkpoint'))
const logsIn = (files: Files) => files.list(FOLDER).filter(name => name.endsWith('.log'))
const topics = ({ metadata }: Pick<Started, 'metadata'>) =>
  [...metadata.image.topics()].map(({ name }) => name).toSorted()
/** What a start itself adds is left out. */
const lasting = ({ metadata }: Pick<Started, 'metadata'>) => ({ ...contents(metadata.image), brokers: [] })

describe('when', () => {
  test('so many bytes of records were committed, those of the log at the start included', async () => {
    const files = memoryFiles()
    const started = await start(files, { snapshots: { maxBytes: 4000, intervalMs: 0 } })
    await create(started, 'a')
    await started.metadata.idle()
    expect(snapshotsIn(files)).toEqual([])
    await create(started, 'b', 60)
    await started.metadata.idle()
    const offset = started.metadata.image.endOffset
    expect(snapshotsIn(files)).toEqual([`${String(offset).padStart(20, '0')}-0000000001.checkpoint`])
    await started.log.close(true)
    const again = await start(files, { cleanShutdown: true, snapshots: { maxBytes: 4000, intervalMs: 0 } })
    await create(again, 'c')
    await again.metadata.idle()
    expect(snapshotsIn(files).length).toBe(1)
  })

  test('time has passed, and there is something new', async () => {
    const files = memoryFiles()
    const started = await start(files, { snapshots: { maxBytes: 1 << 30, intervalMs: 1000 } })
    started.clock.now += 999
    started.metadata.snapshotIfDue()
    await started.metadata.idle()
    expect(snapshotsIn(files).length).toBe(0)
    started.clock.now += 1
    started.metadata.snapshotIfDue()
    await started.metadata.idle()
    expect(snapshotsIn(files).length).toBe(1)
    started.clock.now += 5000
    started.metadata.snapshotIfDue()
    await started.metadata.idle()
    expect(snapshotsIn(files).length).toBe(1)
    await create(started, 'a')
    await started.metadata.idle()
    expect(snapshotsIn(files).length).toBe(2)
  })

  test('not in the middle of a metadata transaction', async () => {
    const started = await start(memoryFiles())
    await started.metadata.submit(() => ({
      records: [{ type: 'BeginTransactionRecord', value: { name: null } }],
      reply: 0,
    }))
    await started.metadata.writeSnapshot()
    expect(started.errors).toEqual([])
  })
})

test('a start takes the snapshot and the log behind it, and goes on in a later epoch', async () => {
  const files = memoryFiles()
  const first = await start(files)
  await create(first, 'a', 3)
  await create(first, 'gone')
  await remove(first, 'gone')
  await first.metadata.writeSnapshot()
  await create(first, 'b')
  const before = lasting(first)
  await first.log.close(true)
  const again = await start(files, { cleanShutdown: true })
  expect(again.log.snapshot).not.toBeNull()
  expect(lasting(again)).toEqual(before)
  expect(again.metadata.leaderEpoch).toBe(2)
  await create(again, 'c')
  expect(topics(again)).toEqual(['a', 'b', 'c'])
})

test('it tells of one offset, whatever changes between its pieces', async () => {
  const files = memoryFiles()
  let between: () => Promise<unknown> = () => Promise.resolve()
  let pieces = 0
  const started = await start(files, { pause: async () => (pieces++, void (await between())) })
  for (let n = 0; n < 40; n++) await create(started, `t${n}`, 60)
  const { metadata } = started
  const then = contents(metadata.image)
  const { endOffset } = metadata.image
  let count = 0
  between = async () => {
    await create(started, `new${count}`, 2)
    await remove(started, `t${count}`)
    await remove(started, `t${39 - count}`)
    await create(started, `t${39 - count}`, 3)
    count++
  }
  await metadata.writeSnapshot()
  expect(pieces).toBeGreaterThan(6)
  // Beside the frozen one and after it: the same as from the log.
  const now = contents(metadata.image)
  const [name] = snapshotsIn(files)
  const { image } = readSnapshot(files.readAll(`${FOLDER}/${name}`), { offset: endOffset, epoch: 1 })
  expect(contents(image)).toEqual(then)
  expect(image.endOffset).toBe(endOffset)
  between = () => Promise.resolve()
  await started.log.close(true)
  const again = await start(files, { cleanShutdown: true })
  expect({ ...contents(again.metadata.image), brokers: [] }).toEqual({ ...now, brokers: [] })
  // And the next one has the changes.
  await again.metadata.writeSnapshot()
  const newest = snapshotsIn(files).at(-1)!
  const written = readSnapshot(files.readAll(`${FOLDER}/${newest}`), {
    offset: again.metadata.image.endOffset,
    epoch: 2,
  })
  expect(contents(written.image)).toEqual(contents(again.metadata.image))
})

test('one that could not be written is released: the next is of what was committed since', async () => {
  const files = crashFiles()
  const started = await start(files)
  await create(started, 'a')
  files.failAt(1, { code: 'ENOSPC' })
  await started.metadata.writeSnapshot()
  expect(started.errors).toHaveLength(1)
  files.failAt(0)
  await create(started, 'b')
  await started.metadata.writeSnapshot()
  const [name] = snapshotsIn(files)
  const id = { offset: started.metadata.image.endOffset, epoch: 1 }
  expect(contents(readSnapshot(files.readAll(`${FOLDER}/${name}`), id).image)).toEqual(contents(started.metadata.image))
})

describe('the log is cut', () => {
  const small = { segmentBytes: 2000, deleteDelayMs: 1000 }

  test('to the oldest snapshot that retention leaves, and can be served again', async () => {
    const files = memoryFiles()
    let started = await start(files, { settings: { ...small, retentionBytes: 10_000 } })
    for (let n = 0; n < 30; n++) {
      await create(started, `t${n}`, 20)
      if (n % 3 === 2) await started.metadata.writeSnapshot()
    }
    expect(started.errors).toEqual([])
    started.clock.now += 1000
    started.log.applyRetention()
    expect(snapshotsIn(files).length).toBeLessThan(10)
    expect(logsIn(files)[0]).not.toBe('00000000000000000000.log')
    expect(files.list(FOLDER).filter(name => name.endsWith('.deleted'))).toEqual([])
    const before = lasting(started)
    await started.log.close(true)
    started = await start(files, { cleanShutdown: true, settings: small })
    expect(lasting(started)).toEqual(before)
    await started.log.close(false)
    started = await start(files, { cleanShutdown: false, settings: small })
    expect(topics(started).length).toBe(30)
  })

  test('by time as well', async () => {
    const files = memoryFiles()
    const started = await start(files, { settings: { ...small, retentionMs: 60_000 } })
    for (let n = 0; n < 4; n++) {
      await create(started, `t${n}`, 30)
      await started.metadata.writeSnapshot()
      started.clock.now += 25_000
    }
    started.log.applyRetention()
    // Written 100, 75, 50 and 25 seconds ago.
    expect(snapshotsIn(files).filter(name => name.endsWith('.checkpoint')).length).toBe(2)
  })

  test('though a crash left snapshots from before its start', async () => {
    const files = memoryFiles()
    let started = await start(files, { settings: small })
    for (let n = 0; n < 6; n++) {
      await create(started, `t${n}`, 30)
      await started.metadata.writeSnapshot()
    }
    const left = snapshotsIn(files).map(name => ({ name, bytes: files.readAll(`${FOLDER}/${name}`) }))
    const settings = { ...small, retentionBytes: 9000 }
    await started.log.close(true)
    started = await start(files, { cleanShutdown: true, settings })
    started.log.applyRetention()
    started.clock.now += 1000
    started.log.applyRetention()
    await started.log.close(true)
    expect(snapshotsIn(files).length).toBeLessThan(left.length)
    // Their renames were lost.
    for (const { name, bytes } of left) files.writeAtomic(`${FOLDER}/${name}`, bytes)
    started = await start(files, { cleanShutdown: true, settings })
    started.clock.now += 1000
    started.log.applyRetention()
    const [first] = logsIn(files)
    for (let n = 6; n < 12; n++) {
      await create(started, `t${n}`, 30)
      await started.metadata.writeSnapshot()
    }
    started.log.applyRetention()
    started.clock.now += 1000
    started.log.applyRetention()
    expect(snapshotsIn(files).length).toBeLessThan(left.length)
    expect(logsIn(files)[0]).not.toBe(first)
  })

  test('never past the newest snapshot, and not at all where everything is to be kept', () => {
    const snapshots = [10, 20, 30].map((offset, n) => ({
      id: { offset, epoch: 1 },
      size: 100,
      lastContainedTimestamp: n * 1000,
    }))
    const facts = { snapshots, logStartOffset: 0, logSize: 1000, now: 1_000_000, retentionBytes: -1, retentionMs: -1 }
    const sizeAfter = (offset: number) => 1000 - offset
    expect(planSnapshotRetention(facts, sizeAfter)).toBe(0)
    expect(planSnapshotRetention({ ...facts, retentionBytes: 0 }, sizeAfter)).toBe(2)
    expect(planSnapshotRetention({ ...facts, retentionBytes: 1200 }, sizeAfter)).toBe(1)
    expect(planSnapshotRetention({ ...facts, retentionMs: 999_500 }, sizeAfter)).toBe(1)
    expect(planSnapshotRetention({ ...facts, retentionMs: 1 }, sizeAfter)).toBe(2)
    expect(planSnapshotRetention({ ...facts, snapshots: [], retentionMs: 1 }, sizeAfter)).toBe(0)
  })
})

describe('a damaged snapshot', () => {
  const damage = (files: Files, name: string) => {
    const bytes = Buffer.from(files.readAll(`${FOLDER}/${name}`))
    bytes[bytes.length >> 1]! ^= 1
    files.writeAtomic(`${FOLDER}/${name}`, bytes)
  }
  async function withSnapshots(settings: Partial<MetadataLogSettings>): Promise<Files> {
    const files = memoryFiles()
    const started = await start(files, { settings: { segmentBytes: 2000, deleteDelayMs: 0, ...settings } })
    for (let n = 0; n < 6; n++) {
      await create(started, `t${n}`, 20)
      if (n > 1) await started.metadata.writeSnapshot()
    }
    await create(started, 'last')
    await started.log.close(true)
    return files
  }
  const all = ['last', 't0', 't1', 't2', 't3', 't4', 't5']

  test('is set aside for an older one, while the log says what it said', async () => {
    const files = await withSnapshots({})
    const newest = snapshotsIn(files).at(-1)!
    damage(files, newest)
    const started = await start(files, { cleanShutdown: true })
    expect(topics(started)).toEqual(all)
    expect(started.log.warnings).toEqual([
      expect.stringMatching(/cannot be read \(it is damaged at byte \d+\): it was set aside as .*\.damaged/),
    ])
    expect(files.exists(`${FOLDER}/${newest}`)).toBe(false)
    expect(files.exists(`${FOLDER}/${newest}.damaged`)).toBe(true)
  })

  test('with all others damaged too, the whole log', async () => {
    const files = await withSnapshots({})
    for (const name of snapshotsIn(files)) damage(files, name)
    const started = await start(files, { cleanShutdown: true })
    expect(topics(started)).toEqual(all)
    expect(started.log.warnings.length).toBe(4)
  })

  test('with the log before it cut, is refused, and nothing is taken away', async () => {
    const files = await withSnapshots({ retentionBytes: 1 })
    const [only, ...more] = snapshotsIn(files).filter(name => name.endsWith('.checkpoint'))
    expect(more).toEqual([])
    damage(files, only!)
    const before = files.list(FOLDER)
    await expect(start(files, { cleanShutdown: true })).rejects.toThrow(
      /^the metadata log begins at offset \d+, and no snapshot tells what was before; the snapshot at \d+ cannot be read: it is damaged at byte \d+$/,
    )
    expect(files.list(FOLDER)).toEqual(expect.arrayContaining(before))
  })

  test('is refused where the log ends before it', async () => {
    const files = await withSnapshots({})
    const newest = snapshotsIn(files).at(-1)!
    damage(files, newest)
    for (const name of logsIn(files).slice(1)) files.remove(`${FOLDER}/${name}`)
    for (const name of snapshotsIn(files)) if (name !== newest) files.remove(`${FOLDER}/${name}`)
    await expect(start(files, { cleanShutdown: true })).rejects.toThrow(
      /^the metadata log ends at offset \d+, before its newest snapshot; the snapshot at \d+ cannot be read/,
    )
  })

  test('a log that lost its end to a power cut begins anew at the snapshot', async () => {
    const files = await withSnapshots({})
    for (const name of files.list(FOLDER)) if (/\.(log|index|timeindex)$/.test(name)) files.remove(`${FOLDER}/${name}`)
    const started = await start(files)
    expect(topics(started)).toEqual(all.slice(1))
    await create(started, 'again')
    await started.log.close(false)
    expect(topics(await start(files))).toEqual(['again', ...all.slice(1)])
  })

  test('half written files go, those of Apache Kafka too', async () => {
    const files = await withSnapshots({})
    const halves = [
      '00000000000000000009-0000000001-8274658265.checkpoint.part',
      '00000000000000000009-0000000001.checkpoint.deleted',
    ]
    for (const name of halves) files.writeAtomic(`${FOLDER}/${name}`, Buffer.from('x'))
    await start(files, { cleanShutdown: true })
    expect(files.list(FOLDER).filter(name => halves.includes(name))).toEqual([])
  })
})

/** A fixed sequence of choices. */
const chooser = (seed: number) => {
  let state = seed
  return (choices: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (state >>> 8) % choices
  }
}

describe('on a disk that loses what is not synced and fails', () => {
  const settings = { segmentBytes: 1500, retentionBytes: 1, deleteDelayMs: 0 }

  /** Topics come and go, snapshots are written and the log is cut in between. @returns what was answered last */
  async function life(files: CrashFiles, flush: boolean): Promise<{ there: string[]; gone: string[] }> {
    const there = new Set<string>()
    const gone = new Set<string>()
    const opened = await start(files, { settings, flush }).catch((error: unknown) => error)
    if (opened instanceof Error) return { there: [], gone: [] }
    const started = opened as Started
    const attempt = async (act: () => Promise<unknown>, done: () => void) => {
      try {
        await act()
        done()
      } catch (error) {
        if (!(error instanceof KafkaError && error.code === KAFKA_STORAGE_ERROR)) throw error
      }
    }
    const one = (name: string, count: number) =>
      attempt(
        () => create(started, name, count),
        () => there.add(name),
      )
    const drop = (name: string) =>
      attempt(
        async () => void (there.delete(name), await remove(started, name)),
        () => gone.add(name),
      )
    await one('first', 12)
    await one('second', 12)
    await started.metadata.writeSnapshot()
    await Promise.all([started.metadata.writeSnapshot(), one('third', 30)])
    await drop('second')
    await started.metadata.writeSnapshot()
    await one('last', 2)
    await started.log.close(false)
    return { there: [...there], gone: [...gone] }
  }
  const sizes: Record<string, number> = { first: 12, second: 12, third: 30, last: 2 }

  test.each([
    ['EIO', false, 'power cut'],
    ['ENOSPC', true, 'power cut'],
    ['EHALT', false, 'power cut'],
    ['EHALT', false, 'kill -9 without flush'],
    ['EHALT', false, 'power cut without flush'],
  ] as const)(
    '%s at any call: what was answered stays, nothing is half there (partial: %s, then a %s)',
    { timeout: 60_000 },
    async (code, partial, end) => {
      const flush = end === 'power cut'
      const whole = crashFiles()
      expect(await life(whole, flush)).toEqual({ there: ['first', 'third', 'last'], gone: ['second'] })
      for (let n = 1; n <= whole.calls; n++) {
        const files = crashFiles()
        files.failAt(n, { code, partial })
        const { there, gone } = await life(files, flush)
        files.failAt(0)
        if (end.startsWith('power cut')) files.crash(chooser(n))
        else files.kill()
        const again = await start(files, { settings })
        const found = new Map(
          [...again.metadata.image.topics()].map(({ name, partitions }) => [name, partitions.length]),
        )
        if (end !== 'power cut without flush') {
          expect({ n, lost: there.filter(name => !found.has(name)) }).toEqual({ n, lost: [] })
          expect({ n, back: gone.filter(name => found.has(name)) }).toEqual({ n, back: [] })
        }
        expect([...found].filter(([name, count]) => sizes[name] !== count)).toEqual([])
        await create(again, 'afterwards')
        await again.metadata.writeSnapshot()
        expect(again.errors).toEqual([])
        await again.log.close(true)
        expect(topics(await start(files, { settings, cleanShutdown: true }))).toEqual(
          [...found.keys(), 'afterwards'].toSorted(),
        )
      }
    },
  )

  type Step =
    | { readonly do: 'create'; readonly name: string; readonly count: number }
    | { readonly do: 'remove'; readonly name: string }
    | { readonly do: 'snapshot'; readonly waits: boolean }
    | { readonly do: 'stop' }
    /** The process or the machine stops at one of the next calls, while a snapshot is written and a topic made. */
    | { readonly do: 'crash'; readonly afterCalls: number; readonly power: boolean; readonly seed: number }
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ do: fc.constant('create' as const), name, count: fc.integer({ min: 1, max: 25 }) }),
    fc.record({ do: fc.constant('remove' as const), name }),
    fc.record({ do: fc.constant('snapshot' as const), waits: fc.boolean() }),
    fc.record({ do: fc.constant('stop' as const) }),
    fc.record({
      do: fc.constant('crash' as const),
      afterCalls: fc.integer({ min: 0, max: 25 }),
      power: fc.boolean(),
      seed: fc.integer({ min: 1, max: 1_000_000 }),
    }),
  )

  /** What was answered must be there at every start; what was not may be. */
  async function history(steps: readonly Step[]): Promise<void> {
    const files = crashFiles()
    const sure = new Map<string, number>()
    const unsure = new Map<string, number | null>()
    let running = await start(files, { settings })
    let snapshot = Promise.resolve()
    const change = async (topic: string, count: number | null): Promise<void> => {
      if ((count === null) === (running.metadata.image.topicByName(topic) === undefined)) return
      unsure.set(topic, count)
      await (count === null ? remove(running, topic) : create(running, topic, count))
      unsure.delete(topic)
      if (count === null) sure.delete(topic)
      else sure.set(topic, count)
    }
    const restart = async (cleanShutdown: boolean): Promise<void> => {
      running = await start(files, { settings, cleanShutdown })
      const found = new Map([...running.metadata.image.topics()].map(each => [each.name, each.partitions.length]))
      for (const [topic, count] of unsure) {
        const before = sure.get(topic)
        expect([before, count ?? undefined]).toContain(found.get(topic))
        if (found.has(topic)) sure.set(topic, found.get(topic)!)
        else sure.delete(topic)
      }
      unsure.clear()
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(sure))
    }
    for (const each of steps) {
      if (each.do === 'create') await change(each.name, each.count)
      else if (each.do === 'remove') await change(each.name, null)
      else if (each.do === 'snapshot') {
        snapshot = running.metadata.writeSnapshot()
        if (each.waits) await snapshot
      } else if (each.do === 'stop') {
        await running.metadata.idle()
        await running.log.close(true)
        await restart(true)
      } else {
        files.failAt(each.afterCalls + 1, { code: 'EHALT' })
        const made = change('crashing', 3).catch(() => undefined)
        await Promise.all([made, snapshot, running.metadata.writeSnapshot()])
        files.failAt(1, { code: 'EHALT' })
        await change('e', running.metadata.image.topicByName('e') ? null : 2).catch(() => undefined)
        await running.log.close(false)
        files.failAt(0)
        if (each.power) files.crash(chooser(each.seed))
        else files.kill()
        await restart(false)
      }
    }
  }

  test('random histories', { timeout: 60_000 }, async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), history), { numRuns: 60 })
  })
})
