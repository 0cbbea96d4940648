// The disk model: what it may lose, and what not.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { errorCode } from '../../storage/errors.ts'
import { crashFiles } from '../../storage/files-crash.ts'

const bytes = (text: string) => [Buffer.from(text)]
/** The code of the error it ends with. */
const attempt = (act: () => void) => {
  try {
    act()
    return null
  } catch (error) {
    return errorCode(error)
  }
}
/** Chooses as little survival as there is (0), or as much. */
const worst = () => 0
const best = (choices: number) => choices - 1

test('what was not synced may be lost, what was is there', async () => {
  const files = crashFiles()
  files.mkdir('t-0')
  await files.syncDir('')
  const handle = files.open('t-0/a', 'write')
  handle.append(bytes('one'))
  await handle.sync()
  await files.syncDir('t-0')
  handle.append(bytes('two'))
  files.open('t-0/b', 'write').append(bytes('never named'))
  files.crash(worst)
  expect(files.list('t-0')).toEqual(['a'])
  expect(files.readAll('t-0/a').subarray(0, 3).toString()).toBe('one')
  expect(() => handle.append(bytes('x'))).toThrow('EBADF')
  await expect(handle.sync()).rejects.toThrow('EBADF')
})

test('all of it may survive', () => {
  const files = crashFiles()
  const handle = files.open('a', 'write')
  handle.append(bytes('one'))
  files.rename('a', 'b')
  files.crash(best)
  expect(files.readAll('b').toString()).toBe('one')
})

test('a kill of the process loses nothing', () => {
  const files = crashFiles()
  files.lock('.lock')
  const handle = files.open('a', 'write')
  handle.append(bytes('one'))
  files.kill()
  expect(() => handle.size()).not.toThrow()
  expect(() => handle.append(bytes('x'))).toThrow('EBADF')
  expect(files.readAll('a').toString()).toBe('one')
  files.lock('.lock')
})

test('a rename that was not synced leaves the old name or the new one, writeAtomic the old content or the new', () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat({ max: 1_000_000 })), fc.nat({ max: 12 }), (stream, haltAt) => {
      const files = crashFiles()
      files.writeAtomic('x', Buffer.from('old'))
      files.open('a', 'write').syncNow()
      files.syncDirNow('')
      files.failAt(haltAt, { code: 'EHALT' })
      let done = false
      const halted = attempt(() => {
        files.writeAtomic('x', Buffer.from('newer'))
        done = true
        files.rename('a', 'b')
      })
      files.crash(choices => (stream.next().value ?? 0) % choices)
      const content = files.readAll('x').toString()
      expect([null, 'EHALT']).toContain(halted)
      expect(done ? ['newer'] : ['old', 'newer']).toContain(content)
      expect([files.exists('a'), files.exists('b')].filter(Boolean)).toHaveLength(1)
    }),
    { numRuns: 300 },
  )
})

test('synced bytes survive any crash, and unsynced ones come back as they were, as zeros, or not at all', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.infiniteStream(fc.nat({ max: 1_000_000 })),
      fc.array(fc.tuple(fc.constantFrom('append', 'sync', 'crash'), fc.nat({ max: 40 })), { maxLength: 30 }),
      async (stream, list) => {
        const files = crashFiles()
        let handle = files.open('a', 'write')
        files.syncDirNow('')
        let all: Buffer = Buffer.alloc(0)
        let synced = 0
        let next = 0
        const wrong: string[] = []
        for (const [kind, size] of list) {
          if (kind === 'append') {
            const data = Buffer.from(Array.from({ length: size }, () => (next++ % 255) + 1))
            handle.append([data])
            all = Buffer.concat([all, data])
          } else if (kind === 'sync') {
            await handle.sync()
            synced = all.byteLength
          } else {
            files.crash(choices => (stream.next().value ?? 0) % choices)
            handle = files.open('a', 'write')
            const found = files.readAll('a')
            if (found.byteLength < synced || found.byteLength > all.byteLength) wrong.push(`size ${found.byteLength}`)
            for (const [at, byte] of found.entries()) {
              if (byte !== all[at] && (byte !== 0 || at < synced)) wrong.push(`${byte} at ${at}`)
            }
            all = found
            synced = found.byteLength
          }
        }
        expect(wrong).toEqual([])
      },
    ),
    { numRuns: 200 },
  )
})

describe('failures', () => {
  test('a full disk fails what takes space, partly written bytes are cut back', () => {
    const files = crashFiles()
    const handle = files.open('a', 'write')
    handle.append(bytes('one'))
    files.failAt(1, { code: 'ENOSPC', partial: true, sticky: true })
    expect(() => handle.append(bytes('twotwo'))).toThrow('ENOSPC')
    expect(handle.size()).toBe(3)
    expect(files.readAll('a').toString()).toBe('one')
    expect(() => files.open('b', 'write')).toThrow('ENOSPC')
    handle.syncNow()
    files.rename('a', 'c')
    files.failAt(0)
    handle.append(bytes('two'))
    expect(files.readAll('c').toString()).toBe('onetwo')
  })

  test('a cut that fails poisons the handle', () => {
    const files = crashFiles()
    const handle = files.open('a', 'write')
    files.failAt(1, { code: 'EIO', partial: true, cutFails: true })
    expect(() => handle.append(bytes('12'))).toThrow('EIO')
    expect(() => handle.append(bytes('12'))).toThrow('EIO')
    expect(files.size('a')).toBe(1)
  })

  test('the n-th call fails, and only that', async () => {
    const files = crashFiles()
    const handle = files.open('a', 'write')
    files.failAt(3)
    handle.append(bytes('1'))
    handle.append(bytes('2'))
    await expect(handle.sync()).rejects.toThrow('EIO')
    files.open('b', 'write').append(bytes('3'))
    expect(files.calls).toBe(6)
  })

  test('held syncs finish when they are let go', async () => {
    const files = crashFiles()
    const handle = files.open('a', 'write')
    files.syncDirNow('')
    handle.append(bytes('1'))
    const open = files.holdSyncs()
    let synced = false
    const sync = handle.sync().then(() => {
      synced = true
    })
    handle.append(bytes('2'))
    await Promise.resolve()
    expect(synced).toBe(false)
    open()
    await sync
    // What was written after the call was not promised.
    files.crash(worst)
    expect(files.readAll('a').subarray(0, 1).toString()).toBe('1')
  })

  test('a halted process reads nothing more, either', () => {
    const files = crashFiles()
    const handle = files.open('a', 'write')
    files.failAt(1, { code: 'EHALT' })
    expect(() => handle.append(bytes('1'))).toThrow('EHALT')
    expect(() => files.list('')).toThrow('EHALT')
    expect(() => handle.readAt(Buffer.alloc(1), 0)).toThrow('EHALT')
    files.kill()
    expect(files.list('')).toEqual(['a'])
  })
})
