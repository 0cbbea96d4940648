// Memory that connections share, over real sockets in virtual time: bounded, fairly shared, and all of it comes back.
import { describe, expect, it } from 'vitest'
import type { Runtime, VirtualRuntime } from '../../../src/runtime/index.ts'
import { encodeRequest, Fetch, Produce } from '../../../protocol/index.ts'
import { recordingLogger, systemRuntime, virtualRuntime, type LogLine } from '../../../src/runtime/index.ts'
import { Load } from '../../../src/server/load.ts'
import type { Context, Reply } from './harness.ts'
import { echo, fetch, fetched, gate, heartbeat, modes, onHeartbeat, produce, serve } from './harness.ts'

const MB = 1 << 20
const chunk = Buffer.alloc(MB, 5)

/** Sockets are those of the machine, time stands still until it is advanced. */
function stillTime(): { runtime: Runtime; time: VirtualRuntime; lines: LogLine[] } {
  const lines: LogLine[] = []
  const time = virtualRuntime()
  const system = systemRuntime(recordingLogger(lines))
  const timers: Runtime['timers'] = {
    after: (ms, fn) => time.timers.after(ms, fn),
    defer: fn => system.timers.defer(fn),
  }
  return { runtime: { ...system, clock: time.clock, timers }, time, lines }
}

/** Resolves when the condition holds; looks after every turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setImmediate(resolve))
}

/** Lets time pass, second by second, until the promise is settled. */
async function passing<T>(time: VirtualRuntime, answer: Promise<T>): Promise<T> {
  const state = { isDone: false }
  void answer.then(() => (state.isDone = true))
  while (!state.isDone) {
    for (let turn = 0; turn < 100; turn++) await new Promise(resolve => setImmediate(resolve))
    time.advance(1000)
  }
  return answer
}

/** Serves Fetch: as much as the connection may have, at least a megabyte. */
function records() {
  let out = 0
  const handler = {
    api: Fetch,
    handle(_request: never, { connection }: Context) {
      const count = Math.max(1, Math.floor(connection.answerRoom / MB))
      out += count
      const parts = Array.from({ length: count }, () => chunk)
      return fetched(parts, () => void (out -= count))
    },
  }
  return { handler, out: () => out }
}

const all = { maxBufferedBytes: 16 * MB, maxBrokerBytes: 16 * MB, maxAnswerBytes: 16 * MB }

describe.each(modes)('memory for answers, read by %s', mode => {
  it('has room for those who read, beside those who do not', async () => {
    const { handler, out } = records()
    const { runtime } = stillTime()
    const { connect, server } = await serve([handler], { mode, runtime, limits: all })
    const slow = await Promise.all(Array.from({ length: 5 }, connect))
    for (const client of slow) {
      client.socket.pause()
      await client.send(...Array.from({ length: 40 }, (_, id) => fetch(id)))
    }
    await until(() => server.counters.readingPaused >= slow.length)
    // Each has an eighth of what is left at most, and one answer more.
    expect(server.memory.answers.usedBytes).toBeLessThan(16 * MB)
    const quick = await Promise.all(Array.from({ length: 50 }, connect))
    for (let round = 0; round < 3; round++) {
      for (const client of quick) await client.send(fetch(round))
      for (const client of quick) expect((await client.frame())!.readInt32BE()).toBe(round)
    }
    expect(server.memory.answers.peakBytes).toBeLessThanOrEqual(20 * MB)
    for (const client of [...slow, ...quick]) client.socket.destroy()
    await until(() => server.connections === 0)
    expect([server.memory.answers.usedBytes, out(), server.counters.connectionsShed]).toEqual([0, 0, 0])
  })

  it('is taken from those who read nothing when there is not enough for the others', async () => {
    const { handler, out } = records()
    const { runtime, time, lines } = stillTime()
    const { connect, server } = await serve([handler], { mode, runtime, limits: all })
    const slow = await Promise.all(Array.from({ length: 40 }, connect))
    for (const client of slow) client.socket.pause()
    for (const client of slow) await client.send(...Array.from({ length: 40 }, (_, id) => fetch(id)))
    await until(() => server.memory.answers.usedBytes > 16 * MB)
    expect(server.memory.answers.usedBytes).toBeLessThan(20 * MB)
    const quick = await connect()
    await quick.send(fetch(7))
    expect((await passing(time, quick.frame()))!.readInt32BE()).toBe(7)
    expect(server.counters.connectionsShed).toBeGreaterThan(0)
    expect(server.memory.answers.peakBytes).toBeLessThan(20 * MB)
    expect(lines.some(({ message }) => message.startsWith('memory is short for answers'))).toBe(true)
    await server.close()
    expect([server.memory.answers.usedBytes, out()]).toEqual([0, 0])
  })
})

/** So many seconds, with what happens in them. */
async function seconds(time: VirtualRuntime, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    for (let turn = 0; turn < 100; turn++) await new Promise(resolve => setImmediate(resolve))
    time.advance(1000)
  }
}

describe('those that stand still', () => {
  const ok = { api: Produce, handle: () => ({ responses: [] }) }

  it('lose their answers only until half of the room is free', async () => {
    const { handler } = records()
    const { runtime, time } = stillTime()
    const { connect, server } = await serve([handler], { runtime, limits: all })
    const slow = await Promise.all(Array.from({ length: 12 }, connect))
    for (const client of slow) client.socket.pause()
    for (const client of slow) await client.send(...Array.from({ length: 40 }, (_, id) => fetch(id)))
    await until(() => server.memory.answers.usedBytes > 12 * MB)
    await seconds(time, 20)
    const { connectionsShed } = server.counters
    expect(connectionsShed).toBeGreaterThan(0)
    expect(server.connections).toBe(slow.length - connectionsShed)
    expect(server.memory.answers.usedBytes).toBeGreaterThan(4 * MB)
    expect(server.memory.answers.usedBytes).toBeLessThanOrEqual(8 * MB)
  })

  it('make room in the middle of large requests for the one that waits, which is not closed with them', async () => {
    const { runtime, time } = stillTime()
    const { connect, server } = await serve([ok], { runtime, limits: all })
    const whole = produce(4, 1, Buffer.alloc(4 * MB))
    const half = whole.subarray(0, 1.3 * MB)
    for (let i = 0; i < 4; i++) await (await connect()).send(half)
    await until(() => server.counters.bytesReceived === 4 * half.length)
    const large = await connect()
    void large.send(whole)
    await until(() => server.counters.readingPaused === 1)
    expect(await passing(time, large.ids(1))).toEqual([4])
    expect(server.counters.connectionsShed).toBe(4)
  })

  it('do not keep the memory for small requests either', async () => {
    const { runtime, time } = stillTime()
    const { connect, server } = await serve([ok], { runtime, limits: { ...all, maxBufferedBytes: 4 * MB } })
    const small = produce(4, 1, Buffer.alloc(60_000))
    for (let i = 0; i < 64; i++) await (await connect()).send(small.subarray(0, 10))
    await until(() => server.memory.receiving.usedBytes === 4 * MB)
    await seconds(time, 5)
    // Not more of them than is needed.
    expect(server.connections).toBe(8)
    const polite = await connect()
    await polite.send(small.subarray(0, 30_000))
    void polite.send(small.subarray(30_000))
    expect(await polite.ids(1)).toEqual([4])
  })

  it('are not those that wait for an answer while it is answers that fill the memory', () => {
    const { timers } = virtualRuntime()
    const load = new Load(timers, { maxBrokerRequests: 10, maxBrokerBytes: 1000, maxAnswerBytes: 1000 })
    load.add(100)
    load.changeAnswers(1001)
    expect(load.isFull).toBe(true)
    load.whenRelieved(() => undefined)
    expect([load.isStopped, load.isStoppedByRequests]).toEqual([true, false])
    load.add(450)
    expect(load.isStoppedByRequests).toBe(true)
  })
})

describe.each(modes)('memory for requests that come, read by %s', mode => {
  const ok = { api: Produce, handle: () => ({ responses: [] }) }
  /** Begins a Produce of 4 MiB and sends a third of it. */
  const half = produce(1, 1, Buffer.alloc(4 * MB)).subarray(0, 1.3 * MB)

  it('is waited for, and those who wait are served when there is some', async () => {
    const { runtime } = stillTime()
    const { connect, server } = await serve([ok, echo], { mode, runtime, limits: all })
    const many = await Promise.all(Array.from({ length: 12 }, connect))
    const whole = produce(2, 1, Buffer.alloc(2 * MB))
    const sent = many.map(client => client.send(whole))
    for (const client of many) expect(await client.ids(1)).toEqual([2])
    await Promise.all(sent)
    expect(server.memory.receiving.peakBytes).toBeLessThanOrEqual(16 * MB)
    expect([server.buffersInUse, server.counters.connectionsShed]).toEqual([0, 0])
  })

  it('is taken from those who stop in the middle, when others need it', async () => {
    const { runtime, time } = stillTime()
    const { connect, server } = await serve([ok, echo], { mode, runtime, limits: all })
    const halves = await Promise.all(Array.from({ length: 60 }, connect))
    for (const client of halves) void client.send(half)
    await until(() => server.counters.bytesReceived > 20 * MB || server.counters.readingPaused > 20)
    expect(server.memory.receiving.usedBytes).toBeLessThanOrEqual(16 * MB)
    const polite = await connect()
    await polite.send(heartbeat(3))
    expect(await polite.ids(1)).toEqual([3])
    // There may be no room even to wait; clients try again.
    let answer: number[] = []
    for (let attempt = 0; attempt < 20 && answer.length === 0; attempt++) {
      const large = await connect()
      void large.send(produce(4, 1, Buffer.alloc(4 * MB)))
      answer = await passing(time, large.ids(1))
    }
    expect(answer).toEqual([4])
    expect(server.counters.connectionsShed).toBeGreaterThan(0)
    expect(server.memory.receiving.peakBytes).toBeLessThanOrEqual(16 * MB)
    await server.close()
    expect(server.buffersInUse).toBe(0)
  })

  it('goes to somebody where all want more than there is', async () => {
    const { runtime, time } = stillTime()
    const { connect, server } = await serve([ok], { mode, runtime, limits: all })
    // Each needs buffers of 2 and then 4 and then 6 MiB; there are 12 for all.
    const large = produce(1, 1, Buffer.alloc(6 * MB - 100))
    const clients = await Promise.all([connect(), connect(), connect(), connect()])
    const answers = clients.map(client => {
      void client.send(large)
      return client.ids(1)
    })
    const outcomes = await passing(time, Promise.all(answers))
    expect(outcomes.filter(ids => ids.length === 1).length).toBeGreaterThan(0)
    expect(outcomes.filter(ids => ids.length === 1).length + server.counters.connectionsShed).toBe(4)
    expect(server.memory.receiving.peakBytes).toBeLessThanOrEqual(16 * MB)
  })
})

describe('memory for requests that wait', () => {
  it('is counted by what they are when they are decoded, and let go of with the answer', async () => {
    const last = gate<object>()
    const { connect, server } = await serve([{ api: Fetch, handle: () => last.promise }])
    const client = await connect()
    const forgottenTopicsData = [{ topic: 't', partitions: Array.from({ length: 10_000 }, (_, i) => i) }]
    const request = { maxWaitMs: 0, minBytes: 0, topics: [], forgottenTopicsData }
    const frame = Buffer.concat(encodeRequest(Fetch, 12, 1, 'tester', request).chunks)
    void client.send(frame)
    await until(() => server.memory.unanswered.usedBytes > 0)
    expect(server.memory.unanswered.usedBytes).toBeGreaterThan(frame.length + 10_000 * 50)
    last.resolve({ errorCode: 0, sessionId: 0, responses: [] })
    expect(await client.ids(1)).toEqual([1])
    expect(server.memory.unanswered.usedBytes).toBe(0)
  })

  it('goes in part to each connection, and is taken from who lets it lie when there is none for others', async () => {
    const never = new Promise<Reply>(() => undefined)
    const last = gate<Reply>()
    const handler = onHeartbeat(({ groupId }) => (groupId === 'never' ? never : last.promise))
    const waits = { api: Produce, handle: () => never }
    const { runtime, time } = stillTime()
    const { connect, server } = await serve([handler, waits], { runtime, limits: all })
    const hog = await connect()
    void hog.send(...Array.from({ length: 30 }, (_, id) => produce(id, 1, chunk)))
    await until(() => server.counters.readingPaused === 1)
    // A quarter of what is left, and one request more.
    expect(server.memory.unanswered.usedBytes).toBeLessThan(5 * MB)
    const more = await Promise.all(Array.from({ length: 30 }, connect))
    for (const client of more) void client.send(...Array.from({ length: 10 }, (_, id) => produce(id, 1, chunk)))
    await until(() => server.memory.unanswered.usedBytes > 16 * MB)
    expect(server.memory.unanswered.usedBytes).toBeLessThan(18 * MB)
    const polite = await connect()
    await polite.send(heartbeat(5))
    last.resolve({ errorCode: 0 })
    expect(await passing(time, polite.ids(1))).toEqual([5])
    expect(server.counters.connectionsShed).toBeGreaterThan(0)
    await server.close()
    expect(server.memory.unanswered.usedBytes).toBe(0)
  })
})
