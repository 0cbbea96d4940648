// Incremental fetch sessions (KIP-227): ids, epochs, what an incremental answer holds, and who gives way when slots are full.
import { describe, expect, test } from 'vitest'
import {
  FETCH_SESSION_ID_NOT_FOUND,
  FETCH_SESSION_TOPIC_ID_ERROR,
  INVALID_FETCH_SESSION_EPOCH,
} from '../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../protocol/schema.ts'
import {
  FetchSessions,
  hasNews,
  remember,
  type FetchContext,
  type SessionPartition,
  type SessionRequest,
} from '../../../src/broker/fetch-sessions.ts'

const asked = (topic: string, partition: number, fetchOffset = 0): SessionPartition => ({
  topic,
  topicId: ZERO_UUID,
  partition,
  fetchOffset,
  maxBytes: 100,
  currentLeaderEpoch: -1,
  lastFetchedEpoch: -1,
  highWatermark: -1,
  logStartOffset: -1,
})

const request = (sessionId: number, sessionEpoch: number, partitions: SessionPartition[] = []): SessionRequest => ({
  sessionId,
  sessionEpoch,
  usesTopicIds: false,
  partitions,
  forgotten: [],
})

const news = { errorCode: 0, highWatermark: 5, logStartOffset: 0, recordBytes: 0, diverging: false }

function sessions(slots = 10, maxPartitions = 1000): FetchSessions {
  let id = 100
  return new FetchSessions({ slots, evictionMs: 1000, newId: () => id++, maxPartitions })
}

function opened(cache: FetchSessions, partitions: SessionPartition[], now = 0): number {
  const context = cache.open(request(0, 0, partitions), now)
  if (context.kind !== 'full') throw new Error(context.kind)
  for (const p of context.partitions) remember(p, news)
  return cache.create(context, now)
}

type Incremental = FetchContext & { kind: 'incremental' }
function incremental(cache: FetchSessions, r: SessionRequest, now = 0): Incremental {
  const context = cache.open(r, now)
  if (context.kind !== 'incremental') throw new Error(context.kind)
  return context
}

const names = (context: FetchContext): string[] =>
  context.kind === 'error' ? [] : context.partitions.map(p => `${p.topic}-${p.partition}@${p.fetchOffset}`)

describe('a session', () => {
  test('remembers partitions, takes changes, forgets on request', () => {
    const cache = sessions()
    const id = opened(cache, [asked('a', 0), asked('a', 1)])
    expect(names(cache.open(request(id, 1), 0))).toEqual(['a-0@0', 'a-1@0'])
    expect(names(cache.open(request(id, 2, [asked('a', 1, 7), asked('b', 0)]), 0))).toEqual(['a-0@0', 'a-1@7', 'b-0@0'])
    const forget = { ...request(id, 3), forgotten: [{ topic: 'a', topicId: ZERO_UUID, partition: 0 }] }
    expect(names(cache.open(forget, 0))).toEqual(['a-1@7', 'b-0@0'])
  })

  test('refuses a wrong epoch, an unknown id, and a mix of names and ids', () => {
    const cache = sessions()
    const id = opened(cache, [asked('a', 0)])
    expect(cache.open(request(id, 2), 0)).toEqual({ kind: 'error', errorCode: INVALID_FETCH_SESSION_EPOCH })
    expect(cache.open(request(1, 1), 0)).toEqual({ kind: 'error', errorCode: FETCH_SESSION_ID_NOT_FOUND })
    expect(cache.open({ ...request(id, 1), usesTopicIds: true }, 0)).toEqual({
      kind: 'error',
      errorCode: FETCH_SESSION_TOPIC_ID_ERROR,
    })
  })

  test('ends with a full request that names it, and when its last partition is forgotten', () => {
    const cache = sessions()
    const first = opened(cache, [asked('a', 0)])
    expect(cache.open(request(first, -1, [asked('a', 0)]), 0).kind).toBe('sessionless')
    expect(cache.size).toBe(0)
    const second = opened(cache, [asked('a', 0)])
    const forget = { ...request(second, 1), forgotten: [{ topic: 'a', topicId: ZERO_UUID, partition: 0 }] }
    expect(cache.open(forget, 0).kind).toBe('sessionless')
    expect(cache.size).toBe(0)
  })

  test('epochs wrap from the largest int32 to 1', () => {
    const cache = sessions()
    const id = opened(cache, [asked('a', 0)])
    const context = incremental(cache, request(id, 1))
    context.session.epoch = 0x7fffffff
    expect(incremental(cache, request(id, 0x7fffffff)).epoch).toBe(1)
  })

  test('a duplicate of a request that was answered meanwhile is not current', () => {
    const cache = sessions()
    const id = opened(cache, [asked('a', 0)])
    const slow = incremental(cache, request(id, 1))
    expect(cache.isCurrent(slow)).toBe(true)
    incremental(cache, request(id, 2))
    expect(cache.isCurrent(slow)).toBe(false)
  })
})

describe('an incremental answer holds a partition', () => {
  test.each([
    ['with records', { recordBytes: 10 }, true],
    ['with a new high watermark', { highWatermark: 6 }, true],
    ['with a new log start', { logStartOffset: 1 }, true],
    ['with an error', { errorCode: 3 }, true],
    ['that diverges', { diverging: true }, true],
    ['without news', {}, false],
  ])('%s: %s', (_name, change, expected) => {
    const cache = sessions()
    const id = opened(cache, [asked('a', 0)])
    const context = incremental(cache, request(id, 1))
    expect(hasNews(context, context.partitions[0]!, { ...news, ...change })).toBe(expected)
  })

  test('once more after an error has gone', () => {
    const cache = sessions()
    const id = opened(cache, [asked('a', 0)])
    const failing = incremental(cache, request(id, 1))
    expect(hasNews(failing, failing.partitions[0]!, { ...news, errorCode: 3 })).toBe(true)
    const healed = incremental(cache, request(id, 2))
    expect(hasNews(healed, healed.partitions[0]!, news)).toBe(true)
    const quiet = incremental(cache, request(id, 3))
    expect(hasNews(quiet, quiet.partitions[0]!, news)).toBe(false)
  })

  test('and one that got data goes to the end of the next', () => {
    const cache = sessions()
    const id = opened(cache, [asked('a', 0), asked('a', 1)])
    const context = incremental(cache, request(id, 1))
    hasNews(context, context.partitions[0]!, { ...news, recordBytes: 10 })
    expect(names(cache.open(request(id, 2), 0))).toEqual(['a-1@0', 'a-0@0'])
  })
})

describe('full slots', () => {
  test('keep young sessions: the newcomer gets none', () => {
    const cache = sessions(1)
    const first = opened(cache, [asked('a', 0)], 0)
    expect(opened(cache, [asked('b', 0), asked('b', 1)], 500)).toBe(0)
    expect(incremental(cache, request(first, 1), 500).session.id).toBe(first)
  })

  test('give up a session that was unused for the eviction time', () => {
    const cache = sessions(1)
    const first = opened(cache, [asked('a', 0), asked('a', 1)], 0)
    expect(opened(cache, [asked('b', 0)], 1001)).not.toBe(0)
    expect(cache.open(request(first, 1), 1001)).toEqual({ kind: 'error', errorCode: FETCH_SESSION_ID_NOT_FOUND })
  })

  test('give up a smaller session that is old enough, though it is in use', () => {
    const cache = sessions(1)
    const first = opened(cache, [asked('a', 0)], 0)
    incremental(cache, request(first, 1), 1500)
    expect(opened(cache, [asked('b', 0)], 1600)).toBe(0)
    expect(opened(cache, [asked('b', 0), asked('b', 1)], 1600)).not.toBe(0)
  })

  test('a session may begin without partitions', () => {
    expect(opened(sessions(), [])).toBeGreaterThan(0)
  })
})

describe('the partitions of all sessions together are bounded', () => {
  const many = (topic: string, count: number) => Array.from({ length: count }, (_, n) => asked(topic, n))

  test('a session that would go beyond gets no id', () => {
    const cache = sessions(10, 10)
    const first = opened(cache, many('a', 6))
    expect(opened(cache, many('b', 5))).toBe(0)
    expect(opened(cache, many('b', 4))).not.toBe(0)
    // What ends makes room.
    cache.open(request(first, -1), 0)
    expect(opened(cache, many('c', 6))).not.toBe(0)
  })

  test('one that grows beyond ends', () => {
    const cache = sessions(10, 10)
    const id = opened(cache, many('a', 6))
    expect(cache.open(request(id, 1, many('b', 5)), 0)).toEqual({
      kind: 'error',
      errorCode: FETCH_SESSION_ID_NOT_FOUND,
    })
    expect(opened(cache, many('c', 10))).not.toBe(0)
  })
})
