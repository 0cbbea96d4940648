// Read-ahead: readers see what they would see without it, it costs no reading of files while they wait, and it is bounded.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeBatch } from '../../protocol/records/record.ts'
import { Arena } from '../../storage/arena.ts'
import type { Files } from '../../storage/files.ts'
import { memoryFiles } from '../../storage/files-memory.ts'
import type { Log } from '../../storage/log.ts'
import { readMemoryOf } from '../../storage/read-ahead.ts'
import { append, batchOf, config, contents, NOW, openLog } from './log-fixtures.ts'

/** An arena whose later is when `turn` is called. */
function deferring() {
  let tasks: (() => void)[] = []
  const arena = new Arena({ slabBytes: 1024, tailBytes: 1024, later: task => void tasks.push(task) })
  const turn = (): void => {
    const due = tasks
    tasks = []
    for (const task of due) task()
  }
  return { arena, turn, memory: readMemoryOf(arena) }
}

/** Counts reads of `.log` files, and makes them fail while `isBroken`. */
function watched(inner: Files) {
  const state = { reads: 0, isBroken: false }
  const files: Files = {
    ...inner,
    open: (path, mode) => {
      const handle = inner.open(path, mode)
      if (!path.endsWith('.log')) return handle
      const readAt = handle.readAt.bind(handle)
      handle.readAt = (target, position) => {
        state.reads++
        if (state.isBroken) throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' })
        return readAt(target, position)
      }
      return handle
    },
  }
  return { files, state }
}

const batchOfBytes = (size: number): Buffer =>
  encodeBatch({ timestamp: NOW, records: [{ key: null, value: Buffer.alloc(size - 80, 1) }] })

/** A log on files alone: its memory is an arena of its own. */
function coldLog(files: Files, batches: readonly Buffer[], arena: Arena): Log {
  const log = openLog(files, { config: config({ segmentBytes: 16 * 1024 * 1024 }) })
  for (const batch of batches) append(log, batch)
  log.write()
  return openLog(files, { arena, config: config({ segmentBytes: 16 * 1024 * 1024 }), cleanShutdown: false })
}

const consumer = { maxBytes: 4096, maxOffset: Infinity, minOneBatch: true, budgeted: true }

describe('read-ahead', () => {
  test('a reader in steps finds each next part in memory', () => {
    const { arena, turn, memory } = deferring()
    const { files, state } = watched(memoryFiles())
    const log = coldLog(
      files,
      Array.from({ length: 100 }, () => batchOfBytes(1000)),
      arena,
    )
    let reads = 0
    let [offset, steps] = [0, 0]
    while (offset < 60) {
      const before = state.reads
      const records = log.read(offset, consumer)
      reads += state.reads - before
      offset = records.nextOffset
      records.release()
      turn()
      steps++
    }
    expect(steps).toBe(15)
    // The search for the first batch, and the first part.
    expect(reads).toBe(2)
    expect(memory.ahead!.bytes).toBe(4096)
    expect(memory.buffers.heldBytes).toBe(4096)
  })

  test('what nobody comes for goes with the second sweep', () => {
    const { arena, turn, memory } = deferring()
    const batches = Array.from({ length: 10 }, () => batchOfBytes(1000))
    const log = coldLog(memoryFiles(), batches, arena)
    log.read(0, consumer).release()
    turn()
    memory.ahead!.sweep()
    expect(memory.ahead!.bytes).toBe(4096)
    memory.ahead!.sweep()
    expect([memory.ahead!.bytes, memory.buffers.heldBytes]).toEqual([0, 0])
  })

  test('what was cut off is not read again', () => {
    const { arena, turn, memory } = deferring()
    const log = coldLog(
      memoryFiles(),
      Array.from({ length: 20 }, () => batchOf(10, 'before', { timestamp: NOW })),
      arena,
    )
    const records = log.read(0, { ...consumer, maxBytes: 1000 })
    records.release()
    turn()
    expect(memory.ahead!.bytes).toBeGreaterThan(0)
    log.truncateTo(records.nextOffset, NOW)
    for (let n = 0; n < 20; n++) append(log, batchOf(10, 'after'))
    log.write()
    arena.clear()
    const again = log.read(records.nextOffset, { ...consumer, maxBytes: 1000 })
    expect(Buffer.concat(again.parts).toString('latin1')).toContain('after0')
    expect(Buffer.concat(again.parts).toString('latin1')).not.toContain('before')
    again.release()
  })

  test('an error of the disk is told to who asks, not to nobody', () => {
    const { arena, turn, memory } = deferring()
    const { files, state } = watched(memoryFiles())
    const log = coldLog(
      files,
      Array.from({ length: 10 }, () => batchOfBytes(1000)),
      arena,
    )
    const records = log.read(0, consumer)
    records.release()
    state.isBroken = true
    turn()
    expect([memory.buffers.heldBytes, log.offline]).toEqual([0, null])
    expect(() => log.read(records.nextOffset, consumer)).toThrow('The disk of topic-0 failed')
    expect(log.offline).not.toBeNull()
  })

  test('no more than 8 MiB are read ahead', () => {
    const { arena, turn, memory } = deferring()
    const logs = Array.from({ length: 12 }, () =>
      coldLog(
        memoryFiles(),
        Array.from({ length: 60 }, () => batchOfBytes(50_000)),
        arena,
      ),
    )
    const held = logs.map(log => log.read(0, { ...consumer, maxBytes: 1024 * 1024 }))
    turn()
    expect(memory.ahead!.bytes).toBeGreaterThan(0)
    expect(memory.ahead!.bytes).toBeLessThanOrEqual(8 * 1024 * 1024)
    for (const records of held) records.release()
    expect(memory.buffers.heldBytes).toBe(memory.ahead!.bytes)
  })

  test('any readers, at any pace, see what is there', () => {
    const step = fc.record({
      reader: fc.nat(2),
      maxBytes: fc.integer({ min: 1, max: 3000 }),
      maxOffset: fc.integer({ min: 0, max: 400 }),
      turns: fc.boolean(),
      appends: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const { arena, turn, memory } = deferring()
        const log = coldLog(
          memoryFiles(),
          Array.from({ length: 40 }, (_, n) => batchOf((n % 7) + 1, `b${n}-`)),
          arena,
        )
        const readers = [0, 0, 0]
        for (const { reader, maxBytes, maxOffset, turns, appends } of steps) {
          if (appends) append(log, batchOf(3, 'late'))
          const plain = log.read(readers[reader]!, { maxBytes, maxOffset, minOneBatch: true })
          const records = log.read(readers[reader]!, { maxBytes, maxOffset, minOneBatch: true, budgeted: true })
          // Less than the limit allows is fine, nothing where something is to be had is not.
          const [whole, part] = [Buffer.concat(plain.parts), Buffer.concat(records.parts)]
          expect(whole.subarray(0, part.length).equals(part)).toBe(true)
          expect(part.length === 0).toBe(whole.length === 0)
          expect(records.firstOffset).toBe(plain.firstOffset)
          readers[reader] = records.nextOffset
          plain.release()
          records.release()
          if (turns) turn()
        }
        expect(memory.buffers.heldBytes).toBe(memory.ahead!.bytes)
        expect(contents(log)).toHaveLength(log.logEndOffset)
      }),
      { numRuns: 60 },
    )
  })
})
