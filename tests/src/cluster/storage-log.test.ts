/** The store on storage's log: Kafka's files in the folder, restarts, power cuts, sync before answers, failing disks. */
import { describe, expect, test } from 'vitest'
import { Arena } from '../../../storage/arena.ts'
import { crashFiles, type CrashFiles } from '../../../storage/files-crash.ts'
import type { Files } from '../../../storage/files.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { KAFKA_STORAGE_ERROR, KafkaError } from '../../../protocol/errors.ts'
import { createTopics } from '../../../src/cluster/controller.ts'
import { Metadata } from '../../../src/cluster/metadata.ts'
import { recordedQuorum } from '../../../src/cluster/quorum.ts'
import { openMetadataLog } from '../../../src/cluster/storage-log.ts'
import { contents, createRequest, DIRECTORY, idsFrom, options, registration } from './support.ts'

const FOLDER = '__cluster_metadata-0'
const LOG = `${FOLDER}/00000000000000000000.log`
const now = () => 1_700_000_000_000
const newTopicId = idsFrom()

async function start(files: Files, cleanShutdown: boolean, flush = true) {
  const log = openMetadataLog({ files, arena: new Arena({ slabBytes: 64 * 1024 }), cleanShutdown, now, flush })
  const { quorumState } = log
  const metadata = await Metadata.open({
    log,
    quorumState,
    nodeId: 1,
    now,
    registration: { ...registration, cleanShutdown },
    onError: () => {},
    maxBatchBytes: 2000,
  })
  return { log, metadata }
}
const create = (metadata: Metadata, name: string, numPartitions = 1) =>
  metadata.submit(image => createTopics(image, createRequest([{ name, numPartitions }]), options({ newTopicId })))

describe('on a memory disk', () => {
  test('the folder is that of Kafka', async () => {
    const files = memoryFiles()
    const { metadata, log } = await start(files, true)
    await create(metadata, 'a')
    await log.close(true)
    expect(files.list(FOLDER)).toEqual(
      expect.arrayContaining([
        '00000000000000000000.index',
        '00000000000000000000.log',
        '00000000000000000000.timeindex',
        'leader-epoch-checkpoint',
        'partition.metadata',
        'quorum-state',
      ]),
    )
    expect(files.readAll(`${FOLDER}/partition.metadata`).toString()).toBe(
      'version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ',
    )
    expect(files.readAll(`${FOLDER}/leader-epoch-checkpoint`).toString()).toBe('0\n1\n1 0\n')
  })

  test('a restart finds everything, in files of several reads too', async () => {
    const files = memoryFiles()
    const first = await start(files, true)
    for (let i = 0; i < 5; i++) await create(first.metadata, `t${i}`, 4000)
    expect(files.size(LOG)).toBeGreaterThan(1024 * 1024)
    const before = contents(first.metadata.image)
    await first.log.close(true)
    const { metadata } = await start(files, true)
    expect({ ...contents(metadata.image), brokers: [] }).toEqual({ ...before, brokers: [] })
    expect(metadata.leaderEpoch).toBe(2)
    expect(files.readAll(`${FOLDER}/leader-epoch-checkpoint`).toString()).toMatch(/^0\n2\n1 0\n2 \d+\n$/)
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
  test('no answer leaves before its records are synced', async () => {
    const files = crashFiles()
    const { metadata } = await start(files, true)
    const letGo = files.holdSyncs()
    let answered = false
    const answer = create(metadata, 'a').then(() => (answered = true))
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    expect(answered).toBe(false)
    expect(metadata.image.topicByName('a')).toBeUndefined()
    letGo()
    await answer
    expect(metadata.image.topicByName('a')?.partitions.length).toBe(1)
  })

  test('without flush the operating system is enough: kill -9 loses nothing', async () => {
    const files = crashFiles()
    const { metadata } = await start(files, true, false)
    const { calls } = files
    const letGo = files.holdSyncs()
    await create(metadata, 'a')
    letGo()
    expect(files.calls).toBe(calls + 1)
    files.kill()
    const again = await start(files, false, false)
    expect(again.metadata.image.topicByName('a')?.partitions.length).toBe(1)
  })

  test.each([true, false])(
    'recorded voters are on the disk before quorum-state tells of them (flush: %s)',
    async flush => {
      const turns = async () => {
        for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
      }
      const files = crashFiles()
      const { metadata } = await start(files, true, flush)
      files.holdSyncs()
      const voter = { voterId: 1, voterDirectoryId: DIRECTORY, endpoints: [] }
      const quorum = recordedQuorum(voter)
      const raised = metadata.submit(() => ({ records: [{ type: 'NoOpRecord', value: {} }], reply: null, quorum }))
      raised.catch(() => undefined)
      await turns()
      // The process ends when they are written, and the machine when the next one has begun to start.
      files.kill()
      files.holdSyncs()
      start(files, false, flush).catch(() => undefined)
      await turns()
      files.crash(() => 0)
      const again = await start(files, false, flush)
      expect(again.metadata.quorum.kraftVersion).toBe(0)
    },
  )

  /** Starts, creates topics small and large, and tells which were answered; the disk may fail at any call. */
  async function life(files: CrashFiles): Promise<string[]> {
    const answered: string[] = []
    const opened = await start(files, false).catch((error: unknown) => error)
    if (opened instanceof Error) return answered
    const { metadata, log } = opened as Awaited<ReturnType<typeof start>>
    const one = async (name: string, count: number) => {
      try {
        await create(metadata, name, count)
        answered.push(name)
      } catch (error) {
        if (!(error instanceof KafkaError && error.code === KAFKA_STORAGE_ERROR)) throw error
      }
    }
    await one('first', 1)
    await Promise.all([one('second', 2), one('large', 60)])
    await one('last', 1)
    await log.close(false)
    return answered
  }
  const sizes: Record<string, number> = { first: 1, second: 2, large: 60, last: 1 }

  test.each([
    ['EIO', false],
    ['ENOSPC', true],
    ['EHALT', false],
  ] as const)('%s at any call: what was answered stays, nothing is half there', async (code, partial) => {
    const whole = crashFiles()
    expect(await life(whole)).toEqual(['first', 'second', 'large', 'last'])
    for (let n = 1; n <= whole.calls; n++) {
      const files = crashFiles()
      files.failAt(n, { code, partial })
      const answered = await life(files)
      files.failAt(0)
      files.crash(chooser(n))
      const { metadata } = await start(files, false)
      const found = new Map([...metadata.image.topics()].map(({ name, partitions }) => [name, partitions.length]))
      expect(answered.filter(name => !found.has(name))).toEqual([])
      expect([...found].filter(([name, count]) => sizes[name] !== count)).toEqual([])
      await create(metadata, 'afterwards')
    }
  })
})
