// The Files port: the same suite for every driver, then what each promises alone.
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { crashFiles } from '../../storage/files-crash.ts'
import { diskFiles } from '../../storage/files-disk.ts'
import { memoryFiles } from '../../storage/files-memory.ts'
import type { RawFile } from '../../storage/files.ts'
import { fileHandle } from '../../storage/files.ts'

const HAS_PROC = existsSync('/proc/self/stat')
const folders: string[] = []
const temporaryFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'odradek-files-'))
  folders.push(folder)
  return folder
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})
const text = (files: { readAll(path: string): Buffer }, path: string) => files.readAll(path).toString()
const drivers = [
  ['disk', () => diskFiles(temporaryFolder())],
  ['disk, few files open', () => diskFiles(temporaryFolder(), { maxOpen: 1 })],
  ['memory', memoryFiles],
  ['crash', crashFiles],
] as const

describe.each(drivers)('%s driver', (_, create) => {
  test('a file: append, read, overwrite, cut', async () => {
    const files = create()
    expect(() => files.open('a', 'read')).toThrow('ENOENT')
    const handle = files.open('a', 'write')
    handle.append([])
    handle.append([Buffer.from('hello '), Buffer.from(''), Buffer.from('world')])
    expect(handle.size()).toBe(11)
    const target = Buffer.alloc(20)
    expect(handle.readAt(target, 6)).toBe(5)
    expect(handle.readAt(target, 11)).toBe(0)
    expect(handle.readAt(target, 1000)).toBe(0)
    handle.writeAt(Buffer.from('W'), 6)
    handle.writeAt(Buffer.from('!!'), 11)
    handle.truncate(12)
    await handle.sync()
    handle.syncNow()
    expect(text(files, 'a')).toBe('hello World!')
    handle.truncate(2)
    handle.truncate(4)
    expect(files.readAll('a')).toEqual(Buffer.from('he\0\0'))
    expect(files.size('a')).toBe(4)
    handle.append([Buffer.from('y')])
    handle.close()
    handle.close()
    expect(() => handle.append([Buffer.from('x')])).toThrow('closed')
    const reader = files.open('a', 'read')
    expect(reader.readAt(target, 0)).toBe(5)
    reader.close()
    const again = files.open('a', 'write')
    again.append([Buffer.from('z')])
    expect(files.readAll('a')).toEqual(Buffer.from('he\0\0yz'))
    again.close()
  })

  test('more parts than one system call takes', () => {
    const files = create()
    const handle = files.open('a', 'write')
    const parts = Array.from({ length: 2500 }, (_unused, n) => Buffer.from(`${n};`))
    handle.append(parts)
    expect(files.readAll('a')).toEqual(Buffer.concat(parts))
    handle.close()
  })

  test('folders and names', async () => {
    const files = create()
    expect(files.list('')).toEqual([])
    expect(() => files.list('t-0')).toThrow('ENOENT')
    files.mkdir('t-0')
    files.mkdir('t-0')
    files.mkdir('x/y')
    files.open('t-0/b', 'write').close()
    files.writeAtomic('t-0/a', Buffer.from('1'))
    files.writeAtomic('t-0/a', Buffer.from('2'))
    await files.syncDir('t-0')
    files.syncDirNow('')
    expect(files.list('')).toEqual(['t-0', 'x'])
    expect(files.list('t-0')).toEqual(['a', 'b'])
    expect(text(files, 't-0/a')).toBe('2')
    expect(['', 't-0', 't-0/a', 'z'].map(path => files.exists(path))).toEqual([true, true, true, false])
    expect(['', 't-0', 't-0/a', 'z'].map(path => files.isFolder(path))).toEqual([true, true, false, false])
    files.rename('t-0/b', 't-0/a')
    expect(files.list('t-0')).toEqual(['a'])
    expect(files.size('t-0/a')).toBe(0)
    files.rename('t-0', 't-0.x-delete')
    expect(files.list('t-0.x-delete')).toEqual(['a'])
    expect(() => files.rename('none', 'b')).toThrow('ENOENT')
    files.remove('t-0.x-delete/a')
    expect(() => files.remove('t-0.x-delete/a')).toThrow('ENOENT')
    files.mkdir('t-0.x-delete/c')
    files.removeDir('t-0.x-delete')
    expect(files.list('')).toEqual(['x'])
    expect(() => files.removeDir('none')).toThrow('ENOENT')
    expect(() => files.open('none/a', 'write')).toThrow('ENOENT')
  })

  test('a removed file can still be read by who has it open', () => {
    const files = create()
    const handle = files.open('a', 'write')
    handle.append([Buffer.from('abc')])
    files.remove('a')
    const target = Buffer.alloc(3)
    expect(handle.readAt(target, 0)).toBe(3)
    expect(target.toString()).toBe('abc')
    handle.close()
  })

  test('the lock', () => {
    const files = create()
    const unlock = files.lock('.lock')
    expect(() => files.lock('.lock')).toThrow(`held by the running process ${process.pid}`)
    unlock()
    files.lock('.lock')()
    files.lock('.lock')()
  })
})

describe('disk driver', () => {
  test('creates its root, and gives descriptors back', async () => {
    const root = join(temporaryFolder(), 'a', 'b')
    const files = diskFiles(root)
    expect(files.exists('')).toBe(false)
    files.mkdir('')
    const handle = files.open('x', 'write')
    handle.append([Buffer.from('1')])
    // Closed while a sync is on its way: the sync still ends well.
    const synced = handle.sync()
    handle.close()
    await synced
    await expect(handle.sync()).rejects.toThrow('closed')
    expect(readFileSync(join(root, 'x'), 'utf8')).toBe('1')
    expect(statSync(join(root, 'x')).mode & 0o777).toBe(0o644 & ~process.umask())
  })
})

describe('a large file that loses its name', () => {
  const LARGE = Buffer.alloc(2 * 1024 * 1024, 'x')
  const heldIn = (root: string): string[] =>
    readdirSync('/proc/self/fd').flatMap(fd => {
      try {
        const path = readlinkSync(`/proc/self/fd/${fd}`)
        return path.startsWith(root) ? [path.slice(root.length + 1)] : []
      } catch {
        // Closed meanwhile.
        return []
      }
    })

  test.skipIf(!HAS_PROC)('is gone at once, and freed by a thread', async () => {
    const root = temporaryFolder()
    const files = diskFiles(root)
    files.mkdir('folder')
    for (const path of ['a', 'b', 'c', 'folder/d', 'folder/e', 'small']) {
      writeFileSync(join(root, path), path === 'small' ? 'x' : LARGE)
    }
    files.remove('small')
    expect(heldIn(root)).toEqual([])
    files.remove('a')
    files.rename('b', 'c')
    files.removeDir('folder')
    expect(files.list('')).toEqual(['c'])
    expect(text(files, 'c')).toBe(LARGE.toString())
    // The first may be closed by now, the next is when it was told.
    const others = heldIn(root).filter(path => !path.startsWith('a '))
    expect(others.toSorted()).toEqual(['c', 'folder/d', 'folder/e'].map(path => `${path} (deleted)`))
    await vi.waitFor(() => expect(heldIn(root)).toEqual([]), { timeout: 4000 })
    expect(files.list('')).toEqual(['c'])
  })

  test('whatever goes wrong, as it was', async () => {
    const root = temporaryFolder()
    const files = diskFiles(root)
    expect(() => files.remove('none')).toThrow('ENOENT')
    writeFileSync(join(root, 'large'), LARGE)
    expect(() => files.rename('none', 'large')).toThrow('ENOENT')
    expect(files.size('large')).toBe(LARGE.length)
    if (HAS_PROC) await vi.waitFor(() => expect(heldIn(root)).toEqual([]), { timeout: 4000 })
  })
})

describe('memory driver', () => {
  test('content is what a buffer would hold, across chunks', () => {
    const sizes = fc.nat({ max: 700_000 })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('append', 'write', 'truncate'), sizes, fc.nat({ max: 255 })), {
          maxLength: 8,
        }),
        list => {
          const files = memoryFiles()
          const handle = files.open('a', 'write')
          let model = Buffer.alloc(0)
          for (const [kind, size, byte] of list) {
            const data = Buffer.alloc(kind === 'truncate' ? 0 : size, byte)
            const at = kind === 'append' ? model.byteLength : Math.min(model.byteLength, byte * 3000)
            const grown = Buffer.alloc(kind === 'truncate' ? size : Math.max(model.byteLength, at + size))
            model.copy(grown)
            if (kind !== 'truncate') data.copy(grown, at)
            model = grown
            if (kind === 'append') handle.append([data])
            else if (kind === 'write') handle.writeAt(data, at)
            else handle.truncate(size)
          }
          expect(handle.size()).toBe(model.byteLength)
          expect(files.readAll('a').equals(model)).toBe(true)
          const middle = Buffer.alloc(300_000)
          const count = handle.readAt(middle, 100_000)
          expect(middle.subarray(0, count).equals(model.subarray(100_000, 400_000))).toBe(true)
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('a handle', () => {
  const failing = (raw: Partial<RawFile>) => {
    let content = Buffer.from('old')
    const file: RawFile = {
      size: () => content.byteLength,
      writev: (parts, position) => {
        const data = Buffer.concat(parts)
        content = Buffer.concat([content.subarray(0, position), data])
        return data.byteLength
      },
      read: (target, position) => content.copy(target, 0, position),
      truncate: size => {
        content = content.subarray(0, size)
      },
      datasync: async () => {},
      datasyncNow: () => {},
      close: () => {},
      ...raw,
    }
    return { handle: fileHandle('x', file), file, content: () => content.toString() }
  }
  const raise = (message: string) => () => {
    throw new Error(message)
  }

  test('goes on after a short write', () => {
    const pieces: string[] = []
    const { handle } = failing({
      writev: (parts, position) => {
        const data = Buffer.concat(parts).subarray(0, 2)
        pieces.push(`${position}:${data.toString()}`)
        return data.byteLength
      },
    })
    handle.append([Buffer.from('a'), Buffer.from('bcd'), Buffer.from('e')])
    expect(pieces).toEqual(['3:ab', '5:cd', '7:e'])
    expect(handle.size()).toBe(8)
  })

  test('cuts back what a failed append wrote, and goes on', () => {
    let calls = 0
    const { handle, file, content } = failing({})
    const writev = file.writev.bind(file)
    file.writev = (parts, position) => {
      calls++
      if (calls === 2) throw new Error('ENOSPC')
      return calls === 1 ? writev([Buffer.concat(parts).subarray(0, 3)], position) : writev(parts, position)
    }
    expect(() => handle.append([Buffer.from('12345')])).toThrow('ENOSPC')
    expect(content()).toBe('old')
    expect(handle.size()).toBe(3)
    handle.append([Buffer.from('!')])
    expect(content()).toBe('old!')
  })

  test('a write of nothing is an error, not a loop', () => {
    const { handle } = failing({ writev: () => 0 })
    expect(() => handle.append([Buffer.from('1')])).toThrow('nothing could be written')
  })

  test('is poisoned when the cut fails', async () => {
    const { handle } = failing({ writev: raise('EIO 1'), truncate: raise('EIO 2') })
    expect(() => handle.append([Buffer.from('1')])).toThrow('EIO 1')
    expect(() => handle.readAt(Buffer.alloc(1), 0)).toThrow('EIO 1')
    await expect(handle.sync()).rejects.toThrow('EIO 1')
    handle.close()
  })

  test('is poisoned when a sync fails: it is never tried again', async () => {
    let syncs = 0
    const { handle } = failing({
      datasync: async () => {
        if (++syncs === 1) throw new Error('EIO')
      },
    })
    await expect(handle.sync()).rejects.toThrow('EIO')
    await expect(handle.sync()).rejects.toThrow('EIO')
    expect(() => handle.append([Buffer.from('1')])).toThrow('EIO')
    expect(() => handle.syncNow()).toThrow('EIO')
    expect(syncs).toBe(1)
  })

  test('a sync that ends well after another failed says nothing', async () => {
    const ends: ((error?: Error) => void)[] = []
    const { handle } = failing({
      datasync: () =>
        new Promise((done, failed) => {
          ends.push(error => (error === undefined ? done() : failed(error)))
        }),
    })
    const both = Promise.allSettled([handle.sync(), handle.sync()])
    ends[0]?.(new Error('EIO'))
    ends[1]?.()
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })
})

describe('the lock of a dead process', () => {
  const locked = (content: string) => {
    const root = temporaryFolder()
    writeFileSync(join(root, '.lock'), content)
    return { root, files: diskFiles(root) }
  }
  const stale: [which: string, content: string][] = [
    ['of Apache Kafka, an empty file', ''],
    ['of another boot', `${process.pid} 1 another-boot abc\n`],
    // Only /proc tells when a process began.
    ...(HAS_PROC
      ? [
          ['of a process whose number was given to another since', `${process.pid} 1 ${bootId()} abc\n`] satisfies [
            string,
            string,
          ],
        ]
      : []),
    ['of a process that is gone', `4194305 1 ${bootId()} abc\n`],
    ['of no sense', 'x\n'],
  ]
  test.each(stale)('%s, is taken over', (_, content) => {
    const { root, files } = locked(content)
    const unlock = files.lock('.lock')
    expect(() => files.lock('.lock')).toThrow('held by the running process')
    expect(files.list('')).toEqual(['.lock'])
    unlock()
    expect(files.list('')).toEqual([])
    diskFiles(root).lock('.lock')()
  })

  test('is taken over even if the process that was taking it over died, too', () => {
    const { root, files } = locked(`4194305 1 ${bootId()} first\n`)
    writeFileSync(join(root, '.lock.first'), `4194306 1 ${bootId()} second\n`)
    writeFileSync(join(root, '.lock.second.tmp'), `4194306 1 ${bootId()} second\n`)
    const unlock = files.lock('.lock')
    expect(files.list('')).toEqual(['.lock'])
    unlock()
  })

  test('is not taken over while a live process is doing so', () => {
    const { root, files } = locked(`4194305 1 ${bootId()} first\n`)
    const elsewhere = temporaryFolder()
    diskFiles(elsewhere).lock('.lock')
    writeFileSync(join(root, '.lock.first'), readFileSync(join(elsewhere, '.lock')))
    expect(() => files.lock('.lock')).toThrow('held by the running process')
    expect(files.list('')).toEqual(['.lock', '.lock.first'])
  })

  test('is left alone by an unlock of who had it before', () => {
    const { root, files } = locked('')
    const unlock = files.lock('.lock')
    writeFileSync(join(root, '.lock'), 'another')
    unlock()
    expect(readFileSync(join(root, '.lock'), 'utf8')).toBe('another')
  })
})

function bootId(): string {
  return HAS_PROC ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() : '-'
}
