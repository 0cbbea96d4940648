/** Every error CreatePartitions can answer, and what it records. */
import { describe, expect, test } from 'vitest'
import { errorOf } from '../../../protocol/errors.ts'
import type { RequestOf } from '../../../protocol/api.ts'
import type { CreatePartitions } from '../../../protocol/messages/index.ts'
import { createPartitions } from '../../../src/cluster/controller.ts'
import type { MetadataImage } from '../../../src/cluster/image.ts'
import { create, imageWithBrokers, outcome, take } from './support.ts'

describe('CreatePartitions', () => {
  type Topic = RequestOf<typeof CreatePartitions>['topics'][number]
  const grow = (image: MetadataImage, topics: Topic[], validateOnly = false) =>
    createPartitions(image, { topics, timeoutMs: 1000, validateOnly })
  const imageWith = (...brokerIds: number[]) => {
    const image = imageWithBrokers(...brokerIds)
    create(image, { name: 'a', numPartitions: 2 }, 'b')
    return image
  }

  test('adds partitions behind those that are there', () => {
    const image = imageWith(1)
    const { records, reply } = grow(image, [
      { name: 'a', count: 4, assignments: null },
      { name: 'b', count: 2, assignments: [{ brokerIds: [1] }] },
    ])
    expect(reply.results).toEqual([
      { name: 'a', errorCode: 0, errorMessage: null },
      { name: 'b', errorCode: 0, errorMessage: null },
    ])
    const before = image.topicByName('a')?.topicId
    take(image, { records, reply })
    expect(image.topicByName('a')?.partitions.map(({ partition, leader }) => [partition, leader])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
      [3, 1],
    ])
    expect(image.topicByName('a')?.topicId).toBe(before)
    expect(image.topicByName('b')?.partitions.length).toBe(2)
  })

  test('errors', () => {
    const image = imageWith(1, 2)
    const assignments = (...lists: number[][]) => lists.map(brokerIds => ({ brokerIds }))
    const of = (count: number, ...lists: number[][]) => {
      const [result] = grow(image, [
        { name: 'a', count, assignments: lists.length === 0 ? null : assignments(...lists) },
      ]).reply.results
      return errorOf(result?.errorCode ?? -2).name
    }
    expect(of(2)).toBe('INVALID_PARTITIONS')
    expect(of(1)).toBe('INVALID_PARTITIONS')
    expect(of(0)).toBe('INVALID_PARTITIONS')
    expect(of(-1)).toBe('INVALID_PARTITIONS')
    expect(of(4, [1])).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(of(3, [1], [1])).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(of(3, [])).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(of(3, [9])).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(of(3, [1, 1])).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(of(3, [1, 2])).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(of(3, [2])).toBe('NONE')
    expect(of(2 ** 31 - 1)).toBe('POLICY_VIOLATION')
    image.apply([{ type: 'UnregisterBrokerRecord', value: { brokerId: 1, brokerEpoch: 1 } }], 90)
    image.apply([{ type: 'FenceBrokerRecord', value: { id: 2, epoch: image.broker(2)?.brokerEpoch ?? -1 } }], 91)
    expect(of(3)).toBe('INVALID_REPLICATION_FACTOR')
  })

  test('unknown topics and topics named twice; the others are done', () => {
    const image = imageWith(1)
    const more = (name: string) => ({ name, count: 3, assignments: null })
    const { records, reply } = grow(image, [more('none'), more('a'), more('b'), more('a')])
    expect(outcome(reply.results)).toEqual(['a INVALID_REQUEST', 'none UNKNOWN_TOPIC_OR_PARTITION', 'b NONE'])
    expect(records.length).toBe(2)
  })

  test('validateOnly records nothing; what one decision may add is bounded, topic by topic', () => {
    const image = imageWith(1)
    const asked: Topic[] = [
      { name: 'a', count: 10_002, assignments: null },
      { name: 'b', count: 2, assignments: null },
    ]
    const tried = grow(image, asked, true)
    expect(outcome(tried.reply.results)).toEqual(['a NONE', 'b POLICY_VIOLATION'])
    expect(tried.records).toEqual([])
    expect(grow(image, asked).records.length).toBe(10_000)
  })
})
