// What had records and is not there at a start: a directory that is not mounted, a folder that somebody removed, a metadata log.
// None of it becomes an empty log in silence, and all of it is as before once it is back.
import { expect, test } from 'vitest'
import { KAFKA_STORAGE_ERROR, NONE } from '../../../protocol/errors.ts'
import { DeleteTopics, IncrementalAlterConfigs } from '../../../protocol/messages/index.ts'
import { ZERO_UUID } from '../../../protocol/schema.ts'
import { crashFiles, type CrashFiles } from '../../../storage/files-crash.ts'
import { layout, move, produce, read } from './directories.ts'
import { testBroker, type TestBroker } from './harness.ts'

const twoDisks = () => ({ files: crashFiles(), more: { other: crashFiles() } })

async function stop(broker: TestBroker): Promise<void> {
  broker.opened.quiesce()
  await broker.opened.close()
}

/** a-0 in the first directory, a-1 in the other, each with one record. */
async function filled() {
  const disks = twoDisks()
  const broker = await testBroker(disks)
  await broker.createTopic('a', 2)
  for (const index of [0, 1]) expect(await produce(broker, 'a', `v${index}`, -1, index)).toBe(NONE)
  await broker.runtime.settle()
  return { disks, broker }
}

const reasons = (broker: TestBroker): string =>
  broker.runtime.lines.map(({ fields }) => String((fields as { err?: unknown }).err)).join()

test.each(['an orderly stop', 'a crash'])('a directory that is not mounted, after %s', async how => {
  const { disks, broker } = await filled()
  const end = async (ending: TestBroker): Promise<void> => {
    if (how === 'a crash') disks.files.crash(() => 0)
    else await stop(ending)
  }
  await end(broker)
  if (how === 'a crash') disks.more.other.crash(() => 0)
  const mountPoint = crashFiles()
  let without = await testBroker({ files: disks.files, more: { other: mountPoint }, seed: 2 })
  for (const seed of [3, 4]) {
    expect(await produce(without, 'a', 'more', -1, 0)).toBe(NONE)
    expect(await produce(without, 'a', 'lost', -1, 1)).toBe(KAFKA_STORAGE_ERROR)
    expect(await layout(without)).toEqual(['test: a-0', 'other:'])
    await without.runtime.settle()
    await end(without)
    if (how === 'a crash') mountPoint.crash(() => 0)
    without = await testBroker({ files: disks.files, more: { other: mountPoint }, seed })
  }
  await end(without)
  const again = await testBroker({ ...disks, seed: 5 })
  expect([await read(again, 'a', 0), await read(again, 'a', 1)]).toEqual([['v0', 'more', 'more'], ['v1']])
  expect(await produce(again, 'a', 'new', -1, 1)).toBe(NONE)
})

test('the only log directory is not mounted, the metadata log has another', async () => {
  const [data, metadata] = [crashFiles(), crashFiles()]
  const broker = await testBroker({ files: data, metadata })
  await broker.createTopic('a')
  await produce(broker, 'a', 'v')
  await broker.runtime.settle()
  await stop(broker)
  const without = await testBroker({ files: crashFiles(), metadata, seed: 2 })
  expect(await produce(without, 'a', 'lost')).toBe(KAFKA_STORAGE_ERROR)
  await without.runtime.settle()
  await stop(without)
  expect(await read(await testBroker({ files: data, metadata, seed: 3 }), 'a')).toEqual(['v'])
})

test.each(['an orderly stop', 'a crash'])('a folder that is gone, after %s', async how => {
  const { disks, broker } = await filled()
  const end = async (ending: TestBroker): Promise<void> => {
    if (how === 'an orderly stop') return stop(ending)
    for (const files of [disks.files, disks.more.other]) files.crash(() => 0)
  }
  await broker.runtime.advanceAsync(120_000)
  await end(broker)
  disks.files.removeDir('a-0')
  let without = await testBroker({ ...disks, seed: 2 })
  for (const seed of [3, 4]) {
    expect(await produce(without, 'a', 'lost', -1, 0)).toBe(KAFKA_STORAGE_ERROR)
    expect(reasons(without)).toContain('a-0')
    expect(await produce(without, 'a', 'fine', -1, 1)).toBe(NONE)
    // Checkpoints are written: they must not forget it.
    await without.runtime.advanceAsync(120_000)
    await end(without)
    without = await testBroker({ ...disks, seed })
  }
  // Deleted and made again it is empty for good reason.
  await without.ask(DeleteTopics, { topics: [{ name: 'a', topicId: ZERO_UUID }], topicNames: [], timeoutMs: 1000 })
  await without.createTopic('a', 2)
  for (let seed = 5; seed < 7; seed++) {
    for (const index of [0, 1]) expect(await read(without, 'a', index)).toEqual([])
    await without.runtime.settle()
    await end(without)
    without = await testBroker({ ...disks, seed })
  }
  expect(await produce(without, 'a', 'new', -1, 0)).toBe(NONE)
})

test('a topic that was deleted, its folder too, and made again with no record yet is not missed', async () => {
  const files = crashFiles()
  let broker = await testBroker({ files })
  await broker.createTopic('a')
  await produce(broker, 'a', 'v')
  await broker.runtime.advanceAsync(120_000)
  await broker.ask(DeleteTopics, { topics: [{ name: 'a', topicId: ZERO_UUID }], topicNames: [], timeoutMs: 1000 })
  const isGone = () => files.list('').every(name => !name.startsWith('a-0'))
  while (!isGone()) await broker.runtime.advanceAsync(1000)
  // As if it had stopped between the records of the new topic and its log.
  const checkpoint = files.readAll('recovery-point-offset-checkpoint')
  expect(checkpoint.toString()).not.toContain('a 0')
  await broker.createTopic('a')
  await broker.runtime.settle()
  files.crash(() => 0)
  broker = await testBroker({ files, seed: 2 })
  expect(await produce(broker, 'a', 'new')).toBe(NONE)
})

test('a full disk, which has no room for checkpoints either, gets room by the deletion of a topic', async () => {
  const { disks, broker } = await filled()
  await broker.runtime.advanceAsync(120_000)
  const { other } = disks.more
  other.failAt(1, { code: 'ENOSPC', sticky: true })
  await broker.ask(DeleteTopics, { topics: [{ name: 'a', topicId: ZERO_UUID }], topicNames: [], timeoutMs: 1000 })
  expect(other.list('').some(name => name.startsWith('a-1'))).toBe(true)
  await broker.runtime.advanceAsync(120_000)
  expect(other.list('').some(name => name.startsWith('a-1'))).toBe(false)
})

test('a folder that is gone while its partition was moving', async () => {
  const disks = twoDisks()
  const broker = await testBroker(disks)
  const configs = [{ name: 'replica.alter.log.dirs.io.max.bytes.per.second', configOperation: 0, value: '1' }]
  const resources = [{ resourceType: 4, resourceName: '1', configs }]
  await broker.ask(IncrementalAlterConfigs, { resources, validateOnly: false })
  await broker.createTopic('a')
  await produce(broker, 'a', 'v')
  expect(await move(broker, 'a', 'other')).toBe(NONE)
  await broker.runtime.settle()
  const future = () => disks.more.other.list('').find(name => name.endsWith('-future'))
  expect(future()).toBeDefined()
  await stop(broker)
  // With the checkpoints that told of it.
  for (const name of disks.files.list('')) {
    if (name === 'a-0') disks.files.removeDir(name)
    else if (name.endsWith('checkpoint')) disks.files.remove(name)
  }
  const without = await testBroker({ ...disks, seed: 2 })
  expect(await produce(without, 'a', 'lost')).toBe(KAFKA_STORAGE_ERROR)
  expect(future()).toBeDefined()
})

test('a folder that is gone before its log, which was at rest, is opened', async () => {
  const { disks, broker } = await filled()
  await stop(broker)
  const again = await testBroker({ ...disks, seed: 2 })
  disks.files.removeDir('a-0')
  expect(await read(again, 'a', 0)).toEqual([`error ${KAFKA_STORAGE_ERROR}`])
  expect(disks.files.exists('a-0')).toBe(false)
})

test('a start without the metadata log that there was is refused', async () => {
  const { disks, broker } = await filled()
  await stop(broker)
  const folder = '__cluster_metadata-0'
  const kept = copyOf(disks.files, folder)
  disks.files.removeDir(folder)
  for (const seed of [2, 3]) {
    await expect(testBroker({ ...disks, seed })).rejects.toThrow(/metadata log.*a-0/)
    expect(disks.files.exists('a-0')).toBe(true)
  }
  if (disks.files.exists(folder)) disks.files.removeDir(folder)
  disks.files.mkdir(folder)
  for (const [name, data] of kept) disks.files.writeAtomic(`${folder}/${name}`, data)
  const again = await testBroker({ ...disks, seed: 4 })
  expect([await read(again, 'a', 0), await read(again, 'a', 1)]).toEqual([['v0'], ['v1']])
})

const copyOf = (files: CrashFiles, folder: string): [string, Buffer][] =>
  files.list(folder).map(name => [name, Buffer.from(files.readAll(`${folder}/${name}`))])
