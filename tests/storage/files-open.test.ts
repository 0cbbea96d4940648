// Which files of a directory are open: a limit, the oldest closed first, none with unsynced bytes.
import fs, { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { diskFiles, sharedOpenFiles } from '../../storage/files-disk.ts'
import { fileHandle } from '../../storage/files.ts'
import { OpenFiles } from '../../storage/files-open.ts'
import { append, batchOf, config, contents, openLog } from './log-fixtures.ts'

const folders: string[] = []
const temporaryFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'odradek-open-'))
  folders.push(folder)
  return folder
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** Handles on new files with their names as content, all of them synced. */
function handlesOn(open: OpenFiles, folder: string, names: readonly string[]) {
  return names.map(name => {
    const handle = fileHandle(name, open.file(join(folder, name), 'write'))
    handle.append([Buffer.from(name)])
    handle.syncNow()
    return handle
  })
}

const content = (handle: { readAt(target: Buffer, position: number): number }): string => {
  const target = Buffer.alloc(100)
  return target.toString('latin1', 0, handle.readAt(target, 0))
}

test('beyond the limit the file used longest ago is closed, and opened again without notice', () => {
  const folder = temporaryFolder()
  const open = new OpenFiles(2)
  const [a, b, c] = handlesOn(open, folder, ['a', 'b', 'c'])
  expect(open.count).toBe(2)
  expect([content(a!), content(b!), content(c!), content(a!)]).toEqual(['a', 'b', 'c', 'a'])
  // Open are c and a; b was closed last. A file of its name shows which one is opened anew.
  rmSync(join(folder, 'b'))
  rmSync(join(folder, 'c'))
  expect(() => content(b!)).toThrow('ENOENT')
  expect(content(a!)).toBe('a')
  a!.append([Buffer.from('!')])
  a!.syncNow()
  expect([content(a!), a!.size()]).toEqual(['a!', 2])
  for (const handle of [a!, b!, c!]) handle.close()
  expect(open.count).toBe(0)
})

test('what is not synced keeps its file open, also while a sync is under way', async () => {
  const open = new OpenFiles(1)
  const [a, b, c] = handlesOn(open, temporaryFolder(), ['a', 'b', 'c'])
  a!.append([Buffer.from('1')])
  b!.append([Buffer.from('2')])
  expect(content(c!)).toBe('c')
  expect(open.count).toBe(3)
  const syncing = a!.sync()
  a!.append([Buffer.from('3')])
  await syncing
  // What came during the sync is not covered by it.
  expect(content(c!)).toBe('c')
  expect(open.count).toBe(3)
  await a!.sync()
  b!.truncate(1)
  await b!.sync()
  // A cut that changes nothing needs no sync.
  b!.truncate(1)
  const [d] = handlesOn(open, temporaryFolder(), ['d'])
  expect(open.count).toBe(1)
  expect([a!, b!, c!, d!].map(content)).toEqual(['a13', 'b', 'c', 'd'])
})

test('a process without descriptors takes half of those of idle files', () => {
  const open = new OpenFiles(100)
  const [busy] = handlesOn(open, temporaryFolder(), ['a', 'b', 'c', 'd', 'e'])
  busy!.append([Buffer.from('!')])
  const none = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })
  const succeedsAt = (count: number) => () => {
    if (open.count > count) throw none
    return 'opened'
  }
  expect(open.withDescriptors(succeedsAt(3))).toBe('opened')
  expect(() => open.withDescriptors(succeedsAt(1))).toThrow(none)
  expect(open.withDescriptors(succeedsAt(1))).toBe('opened')
  // Only the file with unsynced bytes is left: it is synced.
  expect(open.withDescriptors(succeedsAt(0))).toBe('opened')
  expect(open.count).toBe(0)
  const other = new Error('another')
  expect(() =>
    open.withDescriptors(() => {
      throw other
    }),
  ).toThrow(other)
})

const FDS = '/proc/self/fd'

/** Descriptors of this process on files in the folder. */
const descriptors = (folder: string): number =>
  readdirSync(FDS)
    .filter(fd => existsSync(join(FDS, fd)))
    .filter(fd => readlinkSync(join(FDS, fd)).startsWith(folder)).length

test.runIf(existsSync(FDS))('a log of many segments lives with few open files', async () => {
  const folder = temporaryFolder()
  const files = diskFiles(folder, { maxOpen: 4 })
  const segments = config({ segmentBytes: batchOf(1, '10-').length })
  const log = openLog(files, { config: segments })
  for (let n = 0; n < 100; n++) append(log, batchOf(1, `${n}-`))
  await log.sync()
  const before = contents(log)
  expect(before).toHaveLength(100)
  expect([log.segmentCount, descriptors(folder)]).toEqual([100, 4])
  await log.close(true)
  const again = openLog(files, { config: segments })
  expect(contents(again)).toEqual(before)
  append(again, batchOf(1, 'm'))
  await again.close(false)
  expect(descriptors(folder)).toBe(0)
})

test.runIf(existsSync(FDS))('several directories share what the process may have', () => {
  const folder = temporaryFolder()
  const openFiles = sharedOpenFiles(4)
  const handles = ['a', 'b', 'c'].flatMap(name => {
    const files = diskFiles(join(folder, name), { openFiles })
    files.mkdir('')
    return ['x', 'y', 'z'].map(file => {
      const handle = files.open(file, 'write')
      handle.append([Buffer.from(name + file)])
      handle.syncNow()
      return handle
    })
  })
  expect(descriptors(folder)).toBe(4)
  expect(handles.map(content)).toEqual(['ax', 'ay', 'az', 'bx', 'by', 'bz', 'cx', 'cy', 'cz'])
  expect(descriptors(folder)).toBe(4)
  for (const handle of handles) handle.close()
  expect(descriptors(folder)).toBe(0)
})

test('unsynced files are synced and closed rather than exceed what the process may have', () => {
  const open = new OpenFiles(2, 4)
  const folder = temporaryFolder()
  const handles = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(name => {
    const handle = fileHandle(name, open.file(join(folder, name), 'write'))
    handle.append([Buffer.from(name)])
    expect(open.count).toBeLessThanOrEqual(4)
    return handle
  })
  expect(handles.map(content)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])
  expect(open.count).toBeLessThanOrEqual(4)
})

test('a process without descriptors syncs unsynced files for them', () => {
  const open = new OpenFiles(100)
  const none = Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' })
  const folder = temporaryFolder()
  const handles = ['a', 'b', 'c'].map(name => {
    const handle = fileHandle(name, open.file(join(folder, name), 'write'))
    handle.append([Buffer.from(name)])
    return handle
  })
  let full = true
  const opened = open.withDescriptors(() => {
    if (!full) return 'opened'
    full = false
    throw none
  })
  expect([opened, open.count]).toEqual(['opened', 2])
  expect(handles.map(content)).toEqual(['a', 'b', 'c'])
  for (const handle of handles) handle.close()
  expect(() =>
    open.withDescriptors(() => {
      throw none
    }),
  ).toThrow('EMFILE')
})

test('a sync for a descriptor that fails is the affair of whoever has the file', t => {
  const open = new OpenFiles(1, 1)
  const folder = temporaryFolder()
  const a = fileHandle('a', open.file(join(folder, 'a'), 'write'))
  a.append([Buffer.from('a')])
  const fdatasyncSync = fs.fdatasyncSync
  t.onTestFinished(() => void (fs.fdatasyncSync = fdatasyncSync))
  fs.fdatasyncSync = () => {
    throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
  }
  const b = fileHandle('b', open.file(join(folder, 'b'), 'write'))
  fs.fdatasyncSync = fdatasyncSync
  expect([content(b), open.count]).toEqual(['', 2])
  expect(() => a.append([Buffer.from('!')])).toThrow('EIO')
  expect(() => a.syncNow()).toThrow('EIO')
})
