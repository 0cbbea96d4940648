/** Every error DeleteTopics can answer, by name and by id, and what it records. */
import { describe, expect, test } from 'vitest'
import * as errors from '../../../protocol/errors.ts'
import { errorOf } from '../../../protocol/errors.ts'
import type { RequestOf } from '../../../protocol/api.ts'
import type { DeleteTopics } from '../../../protocol/messages/index.ts'
import { deleteTopics } from '../../../src/cluster/controller.ts'
import { ZERO_UUID } from '../../../src/cluster/records.ts'
import { create, imageWithBrokers, outcome } from './support.ts'

describe('DeleteTopics', () => {
  const request = (more: Partial<RequestOf<typeof DeleteTopics>>): RequestOf<typeof DeleteTopics> => ({
    topics: [],
    topicNames: [],
    timeoutMs: 1000,
    ...more,
  })
  const enabled = { enabled: true, apiVersion: 6 }
  const image = imageWithBrokers(1)
  create(image, 'a', 'b', 'c')
  const id = (name: string) => image.topicByName(name)?.topicId ?? ''

  test('by name (v0-5)', () => {
    const { records, reply } = deleteTopics(image, request({ topicNames: ['a', 'none', 'b', 'b', '../x'] }), enabled)
    expect(outcome(reply.responses)).toEqual([
      'b INVALID_REQUEST',
      'none UNKNOWN_TOPIC_OR_PARTITION',
      '../x UNKNOWN_TOPIC_OR_PARTITION',
      'a NONE',
    ])
    expect(records).toEqual([{ type: 'RemoveTopicRecord', value: { topicId: id('a') } }])
    expect(reply.responses.map(({ errorMessage }) => errorMessage === null)).toEqual([false, false, false, true])
  })

  test('by name or id (v6)', () => {
    const unknown = 'dW5rbm93bi10b3BpYy1pZA'
    const { records, reply } = deleteTopics(
      image,
      request({
        topics: [
          { name: null, topicId: id('a') },
          { name: 'b', topicId: ZERO_UUID },
          { name: null, topicId: unknown },
          { name: 'none', topicId: ZERO_UUID },
          { name: null, topicId: ZERO_UUID },
          { name: 'c', topicId: id('c') },
        ],
      }),
      enabled,
    )
    expect(reply.responses.map(({ name, topicId, errorCode }) => [name, topicId, errorOf(errorCode).name])).toEqual([
      [null, ZERO_UUID, 'INVALID_REQUEST'],
      ['c', id('c'), 'INVALID_REQUEST'],
      [null, unknown, 'UNKNOWN_TOPIC_ID'],
      ['none', ZERO_UUID, 'UNKNOWN_TOPIC_OR_PARTITION'],
      ['a', id('a'), 'NONE'],
      ['b', id('b'), 'NONE'],
    ])
    expect(records.length).toBe(2)
  })

  test('a topic that is named twice in whatever way stays', () => {
    const byId = { name: null, topicId: id('a') }
    const byName = { name: 'a', topicId: ZERO_UUID }
    const run = (...topics: { name: string | null; topicId: string }[]) => {
      const { records, reply } = deleteTopics(image, request({ topics }), enabled)
      expect(records).toEqual([])
      return reply.responses.map(({ name, topicId, errorCode }) => [name, topicId, errorCode])
    }
    expect(run(byId, byId)).toEqual([[null, id('a'), errors.INVALID_REQUEST]])
    expect(run(byName, byName)).toEqual([['a', ZERO_UUID, errors.INVALID_REQUEST]])
    expect(run(byId, byName)).toEqual([['a', id('a'), errors.INVALID_REQUEST]])
    expect(run(byName, byId)).toEqual([['a', id('a'), errors.INVALID_REQUEST]])
    expect(run(byId, byId, byName)).toEqual([
      [null, id('a'), errors.INVALID_REQUEST],
      ['a', id('a'), errors.INVALID_REQUEST],
    ])
  })

  test.each([
    [0, 'INVALID_REQUEST'],
    [2, 'INVALID_REQUEST'],
    [3, 'TOPIC_DELETION_DISABLED'],
    [6, 'TOPIC_DELETION_DISABLED'],
  ])('delete.topic.enable=false at v%i: %s for each', (apiVersion, name) => {
    const asked = apiVersion < 6 ? { topicNames: ['a', 'a'] } : { topics: [{ name: 'a', topicId: ZERO_UUID }] }
    const { records, reply } = deleteTopics(image, request(asked), { enabled: false, apiVersion })
    expect(records).toEqual([])
    expect(reply.responses.length).toBe(apiVersion < 6 ? 2 : 1)
    for (const { errorCode } of reply.responses) expect(errorOf(errorCode).name).toBe(name)
  })
})
