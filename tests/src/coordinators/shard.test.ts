// The shard: when answers leave, what failures of the log lead to, loading, resigning, timers. The machine is a
// register: it keeps the last value of each name, and answers with what it holds.
import { beforeEach, describe, expect, it } from 'vitest'
import {
  COORDINATOR_LOAD_IN_PROGRESS,
  INVALID_REQUEST,
  KafkaError,
  NOT_COORDINATOR,
  NOT_ENOUGH_REPLICAS,
  REQUEST_TIMED_OUT,
  UNKNOWN_SERVER_ERROR,
} from '../../../protocol/errors.ts'
import type { Effects, LogEntry, Machine, StoredRecord } from '../../../src/coordinators/machine.ts'
import { Shard } from '../../../src/coordinators/shard.ts'
import { virtualRuntime } from '../../../src/runtime/index.ts'
import { MemoryLog } from './memory-log.ts'

type Entry = readonly [name: string, value: string]
type Command =
  | { type: 'put'; entries: Entry[]; divisible?: boolean }
  | { type: 'get'; name: string }
  /** Answered by the next `put` of this name. */
  | { type: 'watch'; name: string }
  | { type: 'soft'; name: string; value: string }
  | { type: 'alarm'; key: string; after: number | null; put?: Entry }
  | { type: 'send'; entry: Entry }
  | { type: 'refuse' }
  | { type: 'bug' }
type Reply = string
interface Change {
  entry?: Entry
  soft?: Entry
  watch?: [name: string, ticket: number]
}

class Register implements Machine<Change, Command, Reply> {
  readonly values = new Map<string, string>()
  readonly watchers = new Map<string, number[]>()
  failReplayOf: string | null = null

  decide(command: Command, ticket: number, now: number): Effects<Change, Command, Reply> {
    const none = { records: [], replies: [] }
    switch (command.type) {
      case 'put': {
        const records = command.entries.map(entry => ({ entry }))
        const woken = command.entries.flatMap(([name]) => this.watchers.get(name) ?? [])
        const replies = [ticket, ...woken].filter(each => each >= 0).map(each => [each, 'put'] as const)
        return { records, replies, divisible: command.divisible ?? false }
      }
      case 'get':
        return { ...none, replies: [[ticket, this.values.get(command.name) ?? 'nothing']] }
      case 'watch':
        return { ...none, records: [{ watch: [command.name, ticket] }] }
      case 'soft':
        return { records: [{ soft: [command.name, command.value] }], replies: [[ticket, 'soft']] }
      case 'alarm': {
        const { key, after, put } = command
        const due: Command = { type: 'put', entries: put ? [put] : [] }
        const timer = after === null ? { key, at: null } : { key, at: now + after, command: due }
        return { ...none, replies: [[ticket, 'armed']], timers: [timer] }
      }
      case 'send':
        return { records: [{ entry: command.entry }], replies: [[ticket, 'sent']], sends: [command.entry] }
      case 'refuse':
        throw new KafkaError(INVALID_REQUEST)
      case 'bug':
      default:
        throw new TypeError('a bug')
    }
  }

  replay({ entry, soft, watch }: Change, _offset: number): void {
    const put = entry ?? soft
    if (put && put[0] === this.failReplayOf) throw new Error('cannot replay')
    if (put) this.values.set(...put)
    if (put) this.watchers.delete(put[0])
    if (watch) this.watchers.set(watch[0], [...(this.watchers.get(watch[0]) ?? []), watch[1]])
  }

  encode({ entry }: Change): LogEntry | null {
    return entry ? { key: Buffer.from(entry[0]), value: Buffer.from(entry[1]) } : null
  }

  decode({ key, value }: StoredRecord): Change | null {
    if (key?.toString() === 'damaged') throw new Error('damaged record')
    return key && value ? { entry: [key.toString(), value.toString()] } : null
  }

  loaded(now: number): Effects<Change, Command, Reply> {
    return {
      records: [],
      replies: [],
      timers: [{ key: 'loaded', at: now + 1000, command: { type: 'put', entries: [['loaded', 'yes']] } }],
    }
  }
}

const put = (...entries: Entry[]): Command => ({ type: 'put', entries })
const get = (name: string): Command => ({ type: 'get', name })
const code = (number: number) => expect.objectContaining({ code: number })

let runtime = virtualRuntime()
let log = new MemoryLog()
let machines: Register[] = []
let sent: unknown[] = []
let shard = newShard()

function newShard() {
  return new Shard<Change, Command, Reply>({
    name: 'register-0',
    machine: () => {
      const machine = new Register()
      machines.push(machine)
      return machine
    },
    log,
    runtime,
    writeTimeoutMs: 5000,
    send: message => sent.push(message),
  })
}

async function load(): Promise<boolean> {
  const loaded = shard.load()
  await runtime.settle()
  return loaded
}

const shown = (error: unknown) => (error instanceof KafkaError ? `error ${error.code}` : String(error))

/** The settled answer, or "waiting". */
async function answer(promise: Promise<Reply>): Promise<string> {
  let result = 'waiting'
  void promise.then(
    reply => (result = reply),
    error => (result = shown(error)),
  )
  await runtime.settle()
  return result
}

beforeEach(() => {
  runtime = virtualRuntime()
  log = new MemoryLog()
  machines = []
  sent = []
  shard = newShard()
})

describe('answers', () => {
  it('leave when what they saw is committed, reads included, in order', async () => {
    await load()
    log.autoCommit = false
    const order: string[] = []
    const note = (name: string) => () => void order.push(name)
    const first = shard.submit(put(['a', '1']))
    const read = shard.submit(get('a'))
    const second = shard.submit(put(['a', '2'], ['b', '2']))
    for (const [name, promise] of Object.entries({ first, read, second })) void promise.then(note(name))
    expect(await answer(first)).toBe('waiting')
    expect(await answer(read)).toBe('waiting')
    shard.committed(1)
    expect(await answer(first)).toBe('put')
    expect(await answer(read)).toBe('1')
    shard.committed(2)
    expect(await answer(second)).toBe('waiting')
    shard.committed(3)
    expect(await answer(second)).toBe('put')
    expect(order).toEqual(['first', 'read', 'second'])
    expect(shard.waiting).toBe(0)
  })

  it('leave at once when nothing is uncommitted', async () => {
    await load()
    expect(await answer(shard.submit(put(['a', '1'])))).toBe('put')
    expect(await answer(shard.submit(get('a')))).toBe('1')
    expect(log.batches).toEqual([1])
  })

  it('ask for what they wait for to be committed; what nobody waits for is committed with that', async () => {
    await load()
    log.autoCommit = false
    shard.tell(put(['a', '1']))
    expect({ end: log.end, commits: log.commits }).toEqual({ end: 1, commits: 0 })
    const read = shard.submit(get('a'))
    expect({ answer: await answer(read), commits: log.commits }).toEqual({ answer: 'waiting', commits: 1 })
    shard.committed(1)
    expect(await answer(read)).toBe('1')
    expect(() => shard.tell({ type: 'refuse' })).toThrow(expect.objectContaining({ code: INVALID_REQUEST }))
    shard.resign()
    expect(() => shard.tell(put(['a', '2']))).toThrow(expect.objectContaining({ code: NOT_COORDINATOR }))
  })

  it('may be given to callers who waited', async () => {
    await load()
    const watch = shard.submit({ type: 'watch', name: 'a' })
    expect(await answer(watch)).toBe('waiting')
    log.autoCommit = false
    const change = shard.submit(put(['a', '1']))
    expect(await answer(watch)).toBe('waiting')
    shard.committed(1)
    expect(await answer(watch)).toBe('put')
    expect(await answer(change)).toBe('put')
  })

  it('that are not committed in time are REQUEST_TIMED_OUT; the record stays', async () => {
    await load()
    log.autoCommit = false
    const early = shard.submit(put(['a', '1']))
    early.catch(() => undefined)
    await runtime.advanceAsync(3000)
    const late = shard.submit(put(['b', '1']))
    await runtime.advanceAsync(1999)
    expect(await answer(early)).toBe('waiting')
    await runtime.advanceAsync(1)
    expect(await answer(early)).toBe(`error ${REQUEST_TIMED_OUT}`)
    expect(await answer(late)).toBe('waiting')
    shard.committed(3)
    expect(await answer(late)).toBe('put')
    expect(await answer(shard.submit(get('a')))).toBe('waiting')
  })

  it('let messages to others go only once committed, however late', async () => {
    await load()
    log.autoCommit = false
    const promise = shard.submit({ type: 'send', entry: ['a', '1'] })
    promise.catch(() => undefined)
    await runtime.advanceAsync(6000)
    expect(await answer(promise)).toBe(`error ${REQUEST_TIMED_OUT}`)
    expect(sent).toEqual([])
    shard.committed(2)
    expect(sent).toEqual([['a', '1']])
  })
})

describe('failures', () => {
  it('of an append leave the state as it was, and the caller gets the code', async () => {
    await load()
    const watch = shard.submit({ type: 'watch', name: 'a' })
    log.failures.push(new KafkaError(NOT_ENOUGH_REPLICAS))
    await expect(shard.submit(put(['a', '1']))).rejects.toEqual(code(NOT_ENOUGH_REPLICAS))
    expect(await answer(shard.submit(get('a')))).toBe('nothing')
    expect(await answer(watch)).toBe('waiting')
    expect(await answer(shard.submit(put(['a', '2'])))).toBe('put')
    expect(await answer(watch)).toBe('put')
  })

  it('of a slice of divisible records keep the slices before it', async () => {
    await load()
    const entries = Array.from({ length: 2500 }, (_, i): Entry => [`k${i}`, 'v'])
    expect(await answer(shard.submit({ type: 'put', entries, divisible: true }))).toBe('put')
    expect(log.batches).toEqual([1000, 1000, 500])
    const large = 'x'.repeat(200_000)
    await shard.submit({
      type: 'put',
      entries: [
        ['p', large],
        ['q', large],
      ],
      divisible: true,
    })
    expect(log.batches.slice(3)).toEqual([1, 1])
    await shard.submit({
      type: 'put',
      entries: [
        ['p', large],
        ['q', large],
      ],
    })
    expect(log.batches.slice(5)).toEqual([2])
  })

  it('of the machine are its code, or UNKNOWN_SERVER_ERROR and a log line for a bug', async () => {
    await load()
    await expect(shard.submit({ type: 'refuse' })).rejects.toEqual(code(INVALID_REQUEST))
    expect(runtime.lines).toHaveLength(1)
    await expect(shard.submit({ type: 'bug' })).rejects.toEqual(code(UNKNOWN_SERVER_ERROR))
    expect(runtime.lines.at(-1)).toMatchObject({ level: 'error', message: 'coordinator command failed' })
    expect(shard.state).toBe('active')
    expect(shard.waiting).toBe(0)
  })

  it('of a replay load everything anew: the log holds what the state lacks', async () => {
    await load()
    const watch = shard.submit({ type: 'watch', name: 'x' })
    watch.catch(() => undefined)
    machines[0]!.failReplayOf = 'a'
    await expect(shard.submit(put(['a', '1']))).rejects.toEqual(code(NOT_COORDINATOR))
    expect(await answer(watch)).toBe(`error ${NOT_COORDINATOR}`)
    await runtime.settle()
    expect(shard.state).toBe('active')
    expect(await answer(shard.submit(get('a')))).toBe('1')
  })
})

describe('loading', () => {
  it('goes slice by slice, and callers get COORDINATOR_LOAD_IN_PROGRESS meanwhile', async () => {
    for (let i = 0; i < 1500; i++) log.store({ key: Buffer.from('a'), value: Buffer.from(String(i)) })
    await expect(shard.submit(get('a'))).rejects.toEqual(code(NOT_COORDINATOR))
    const loaded = shard.load()
    await expect(shard.submit(get('a'))).rejects.toEqual(code(COORDINATOR_LOAD_IN_PROGRESS))
    await new Promise(resolve => setImmediate(resolve))
    expect(shard.state).toBe('loading')
    await runtime.settle()
    expect(await loaded).toBe(true)
    log.committed = 1500
    expect(await answer(shard.submit(get('a')))).toBe('1499')
  })

  it('answers wait for what was read to be committed', async () => {
    log.store({ key: Buffer.from('a'), value: Buffer.from('1') })
    await load()
    const read = shard.submit(get('a'))
    expect(await answer(read)).toBe('waiting')
    shard.committed(1)
    expect(await answer(read)).toBe('1')
  })

  it('stops when the leadership is lost, and starts over when it comes back', async () => {
    for (let i = 0; i < 5; i++) log.store({ key: Buffer.from('a'), value: Buffer.from(String(i)) })
    log.committed = 5
    const first = shard.load()
    shard.resign()
    expect(shard.state).toBe('resigned')
    const second = shard.load()
    await runtime.settle()
    expect([await first, await second]).toEqual([false, true])
    expect(await answer(shard.submit(get('a')))).toBe('4')
  })

  it.each([
    ['a damaged record', () => log.store({ key: Buffer.from('damaged'), value: null })],
    ['a read error', () => (log.readFailure = { after: 1, error: new Error('disk') })],
  ])('fails for %s with a log line, and callers get NOT_COORDINATOR', async (_, harm) => {
    for (let i = 0; i < 5; i++) log.store({ key: Buffer.from('a'), value: Buffer.from(String(i)) })
    harm()
    expect(await load()).toBe(false)
    expect(shard.state).toBe('failed')
    expect(runtime.lines.at(-1)).toMatchObject({ level: 'error', message: 'coordinator shard failed to load' })
    await expect(shard.submit(get('a'))).rejects.toEqual(code(NOT_COORDINATOR))
    expect(runtime.pendingTimers).toBe(0)
  })
})

describe('resigning', () => {
  it('answers everybody with NOT_COORDINATOR and leaves no timer', async () => {
    await load()
    log.autoCommit = false
    const promises = [
      shard.submit({ type: 'watch', name: 'a' }),
      shard.submit(put(['b', '1'])),
      shard.submit(get('b')),
      shard.submit({ type: 'alarm', key: 'k', after: 10 }),
    ]
    const settled = Promise.allSettled(promises)
    shard.resign()
    expect(await settled).toEqual(promises.map(() => ({ status: 'rejected', reason: code(NOT_COORDINATOR) })))
    expect(runtime.pendingTimers).toBe(0)
    expect(shard.waiting).toBe(0)
    shard.committed(9)
    await runtime.advanceAsync(10_000)
    expect(log.batches).toEqual([1])
  })
})

describe('timers', () => {
  it('are commands; setting one again moves it, earlier or later', async () => {
    await load()
    await shard.submit({ type: 'alarm', key: 'k', after: 500, put: ['k', 'first'] })
    await shard.submit({ type: 'alarm', key: 'k', after: 900, put: ['k', 'later'] })
    await runtime.advanceAsync(899)
    expect(log.records).toHaveLength(0)
    await runtime.advanceAsync(1)
    expect(machines[0]!.values.get('k')).toBe('later')
    await shard.submit({ type: 'alarm', key: 'k', after: 900, put: ['k', 'late'] })
    await shard.submit({ type: 'alarm', key: 'k', after: 50, put: ['k', 'early'] })
    await runtime.advanceAsync(50)
    expect(machines[0]!.values.get('k')).toBe('early')
    await runtime.advanceAsync(10_000)
    expect(machines[0]!.values.get('k')).toBe('early')
  })

  it('can be cancelled', async () => {
    await load()
    await shard.submit({ type: 'alarm', key: 'k', after: 500, put: ['k', 'x'] })
    await shard.submit({ type: 'alarm', key: 'k', after: null })
    await shard.submit({ type: 'alarm', key: 'never set', after: null })
    await runtime.advanceAsync(900)
    expect(machines[0]!.values.has('k')).toBe(false)
  })

  it('of a machine that has loaded are set', async () => {
    await load()
    await runtime.advanceAsync(1000)
    expect(machines[0]!.values.get('loaded')).toBe('yes')
    expect(runtime.pendingTimers).toBe(0)
  })

  it('try again when the log refuses', async () => {
    await load()
    log.failures.push(new KafkaError(NOT_ENOUGH_REPLICAS), new KafkaError(NOT_ENOUGH_REPLICAS))
    await shard.submit({ type: 'alarm', key: 'k', after: 100, put: ['k', 'x'] })
    await runtime.advanceAsync(100)
    expect(machines[0]!.values.has('k')).toBe(false)
    await runtime.advanceAsync(500)
    expect(machines[0]!.values.has('k')).toBe(false)
    await runtime.advanceAsync(500)
    expect(machines[0]!.values.get('k')).toBe('x')
    expect(runtime.lines.filter(({ level }) => level === 'warn')).toHaveLength(2)
  })
})
