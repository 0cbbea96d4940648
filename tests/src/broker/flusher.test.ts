// Which appends share a write, which writes share a sync, and which wait for a sync to end.
import { beforeEach, expect, test } from 'vitest'
import { Flusher, type Flushable } from '../../../src/broker/flusher.ts'
import { virtualRuntime } from '../../../src/runtime/index.ts'

let runtime = virtualRuntime()
let flusher = new Flusher(runtime.timers)
let calls: string[] = []
let ends: (() => void)[] = []

beforeEach(() => {
  runtime = virtualRuntime()
  flusher = new Flusher(runtime.timers)
  calls = []
  ends = []
})

/** Everybody who appends waits for the disk; a sync goes on until it is told to end. */
function log(name: string, mayWriteLater = true): Flushable {
  const each: Flushable = {
    mayWriteLater,
    write() {
      calls.push(`write ${name}`)
      flusher.wantsSync(each)
    },
    sync() {
      calls.push(`sync ${name}`)
      return new Promise(resolve => void ends.push(resolve))
    },
  }
  return each
}

/** One turn of the event loop, in which all of them are appended to. */
function turn(...logs: Flushable[]): string[] {
  for (const each of logs) flusher.wroteTo(each)
  return told()
}

function told(): string[] {
  runtime.flush()
  return calls.splice(0)
}

async function syncsEnd(): Promise<string[]> {
  for (const end of ends.splice(0)) end()
  await runtime.settle()
  return told()
}

test('what one turn appends is written together, and then synced together', () => {
  expect(turn(log('a'), log('b'))).toEqual(['write a', 'write b', 'sync a', 'sync b'])
})

test('what comes while a sync is under way is written and synced when that has ended', async () => {
  const [a, b] = [log('a'), log('b')]
  turn(a)
  expect(turn(b)).toEqual([])
  expect(turn(a, b)).toEqual([])
  expect(await syncsEnd()).toEqual(['write b', 'write a', 'sync b', 'sync a'])
  expect(await syncsEnd()).toEqual([])
  expect(turn(a)).toEqual(['write a', 'sync a'])
})

test('whoever cannot wait is written at once, and synced next', async () => {
  turn(log('a'))
  expect(turn(log('b', false))).toEqual(['write b'])
  expect(await syncsEnd()).toEqual(['sync b'])
})

test('a log that comes late finds room or is written at once: no more than 256 wait', async () => {
  turn(log('a'))
  const many = Array.from({ length: 257 }, (_, n) => log(String(n)))
  expect(turn(...many)).toEqual(['write 256'])
  expect((await syncsEnd()).filter(call => call.startsWith('write'))).toHaveLength(256)
})

test('to settle is to have written and synced everything', async () => {
  turn(log('a'))
  flusher.wroteTo(log('b'))
  void flusher.settle().then(() => calls.push('settled'))
  expect(await syncsEnd()).toEqual(['write b', 'sync b'])
  expect(await syncsEnd()).toEqual(['settled'])
})
