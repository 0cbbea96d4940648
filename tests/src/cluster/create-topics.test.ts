/** Every error CreateTopics can answer, and what it records. */
import { describe, expect, test } from 'vitest'
import * as errors from '../../../protocol/errors.ts'
import { createTopics } from '../../../src/cluster/controller.ts'
import { refuse } from '../../../src/cluster/decision.ts'
import { create, createRequest, DIRECTORY, imageWithBrokers, options, outcome, take } from './support.ts'

const created = (topics: Parameters<typeof createRequest>[0], image = imageWithBrokers(1)) =>
  outcome(createTopics(image, createRequest(topics), options()).reply.topics)

describe('CreateTopics', () => {
  test('records a topic, its settings, its partitions, in this order, and answers with all of it', () => {
    const image = imageWithBrokers(1)
    const configs = [{ name: 'retention.ms', value: '5' }]
    const described = [{ name: 'retention.ms', value: '5', readOnly: false, configSource: 1, isSensitive: false }]
    const { records, reply } = createTopics(
      image,
      createRequest([{ name: 'a', numPartitions: 2, replicationFactor: 1, configs }]),
      options({ describeConfigs: () => described }),
    )
    expect(records.map(({ type }) => type)).toEqual([
      'TopicRecord',
      'ConfigRecord',
      'PartitionRecord',
      'PartitionRecord',
    ])
    expect(reply.topics).toEqual([
      {
        name: 'a',
        topicId: 'id-000000000000000001A',
        errorCode: 0,
        errorMessage: null,
        topicConfigErrorCode: 0,
        numPartitions: 2,
        replicationFactor: 1,
        configs: described,
      },
    ])
    take(image, { records, reply })
    expect(image.partition('a', 1)).toEqual({
      partition: 1,
      replicas: [1],
      isr: [1],
      removingReplicas: [],
      addingReplicas: [],
      leader: 1,
      leaderRecoveryState: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: [DIRECTORY],
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
    })
    expect(image.topicConfigs('a')).toEqual(new Map([['retention.ms', '5']]))
  })

  test('-1 stands for the defaults', () => {
    const image = imageWithBrokers(1, 2)
    const { reply } = createTopics(image, createRequest(['a']), options({ numPartitions: 3, replicationFactor: 2 }))
    expect(reply.topics[0]).toMatchObject({ errorCode: 0, numPartitions: 3, replicationFactor: 2 })
  })

  test('validateOnly answers the same and records nothing', () => {
    const image = imageWithBrokers(1)
    const topics = [
      { name: 'a', numPartitions: 2 },
      { name: 'b', numPartitions: 0 },
    ]
    const real = createTopics(image, createRequest(topics), options())
    const tried = createTopics(image, createRequest(topics, { validateOnly: true }), options())
    expect(tried.reply).toEqual(real.reply)
    expect(tried.records).toEqual([])
    expect(real.records.length).toBe(3)
  })

  test.each([
    ['', 'empty'],
    ['.', 'dot'],
    ['..', 'two dots'],
    ['a/b', 'slash'],
    ['a b', 'space'],
    ['ä', 'not ASCII'],
    ['a\n', 'newline at the end'],
    ['a'.repeat(250), '250 characters'],
  ])('INVALID_TOPIC_EXCEPTION for %j (%s)', name => {
    expect(created([name])).toEqual([`${name} INVALID_TOPIC_EXCEPTION`])
  })

  test.each(['a', '...', '-', '_', 'A.b_c-9', 'a'.repeat(249)])('%j is a legal name', name => {
    expect(created([name])).toEqual([`${name} NONE`])
  })

  test('names that differ from an existing one in . and _ alone collide with it; those of one request do not', () => {
    const image = imageWithBrokers(1)
    create(image, 'a.b_c')
    expect(created(['a_b.c', 'a.b.c', 'a-b-c', 'ab.c'], image)).toEqual([
      'a_b.c INVALID_TOPIC_EXCEPTION',
      'a.b.c INVALID_TOPIC_EXCEPTION',
      'a-b-c NONE',
      'ab.c NONE',
    ])
    expect(created(['x.y', 'x_y'], image)).toEqual(['x.y NONE', 'x_y NONE'])
  })

  test('TOPIC_ALREADY_EXISTS, also where the name has collision characters', () => {
    const image = imageWithBrokers(1)
    create(image, 'a', 'b.c')
    expect(created(['a', 'b.c'], image)).toEqual(['a TOPIC_ALREADY_EXISTS', 'b.c TOPIC_ALREADY_EXISTS'])
  })

  test('a name given twice is refused once, after all others; so is the metadata log', () => {
    expect(created(['twice', '__cluster_metadata', 'once', 'twice', 'twice'])).toEqual([
      'once NONE',
      'twice INVALID_REQUEST',
      '__cluster_metadata INVALID_REQUEST',
    ])
    expect(created(['__cluster_metadata', '__cluster_metadata'])).toEqual(['__cluster_metadata INVALID_REQUEST'])
  })

  test('INVALID_PARTITIONS and INVALID_REPLICATION_FACTOR', () => {
    expect(
      created([
        { name: 'none', numPartitions: 0 },
        { name: 'negative', numPartitions: -2 },
        { name: 'no-replica', replicationFactor: 0 },
        { name: 'negative-replicas', replicationFactor: -2 },
        { name: 'both', replicationFactor: 0, numPartitions: 0 },
        { name: 'three', replicationFactor: 3 },
      ]),
    ).toEqual([
      'none INVALID_PARTITIONS',
      'negative INVALID_PARTITIONS',
      'no-replica INVALID_REPLICATION_FACTOR',
      'negative-replicas INVALID_REPLICATION_FACTOR',
      'both INVALID_REPLICATION_FACTOR',
      'three INVALID_REPLICATION_FACTOR',
    ])
    const fenced = imageWithBrokers(1)
    const brokerEpoch = fenced.broker(1)?.brokerEpoch ?? -1
    fenced.apply([{ type: 'FenceBrokerRecord', value: { id: 1, epoch: brokerEpoch } }], 99)
    expect(created(['a'], fenced)).toEqual(['a INVALID_REPLICATION_FACTOR'])
  })

  test('manual assignments', () => {
    const assignment = (...partitions: [number, number[]][]) => ({
      assignments: partitions.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })),
    })
    const image = imageWithBrokers(1, 2)
    expect(
      created(
        [
          { name: 'good', ...assignment([1, [2]], [0, [1]]) },
          { name: 'with-factor', replicationFactor: 1, ...assignment([0, [1]]) },
          { name: 'with-count', numPartitions: 1, ...assignment([0, [1]]) },
          { name: 'nobody', ...assignment([0, []]) },
          { name: 'unknown-broker', ...assignment([0, [3]]) },
          { name: 'broker-twice', ...assignment([0, [1, 1]]) },
          { name: 'partition-twice', ...assignment([0, [1]], [0, [1]]) },
          { name: 'gap', ...assignment([0, [1]], [2, [1]]) },
          { name: 'negative', ...assignment([-1, [1]]) },
          { name: 'uneven', ...assignment([0, [1, 2]], [1, [1]]) },
        ],
        image,
      ),
    ).toEqual([
      'good NONE',
      'with-factor INVALID_REQUEST',
      'with-count INVALID_REQUEST',
      'nobody INVALID_REPLICA_ASSIGNMENT',
      'unknown-broker INVALID_REPLICA_ASSIGNMENT',
      'broker-twice INVALID_REPLICA_ASSIGNMENT',
      'partition-twice INVALID_REPLICA_ASSIGNMENT',
      'gap INVALID_REPLICA_ASSIGNMENT',
      'negative INVALID_REPLICA_ASSIGNMENT',
      'uneven INVALID_REPLICA_ASSIGNMENT',
    ])
    create(image, { name: 'good', ...assignment([1, [2]], [0, [1]]) })
    expect(image.topicByName('good')?.partitions.map(({ replicas }) => replicas)).toEqual([[1], [2]])
    image.apply([{ type: 'FenceBrokerRecord', value: { id: 2, epoch: image.broker(2)?.brokerEpoch ?? -1 } }], 99)
    const half = { name: 'half', ...assignment([0, [2, 1]]) }
    expect(created([{ name: 'a', ...assignment([0, [2]]) }, half], image)).toEqual([
      'a INVALID_REPLICA_ASSIGNMENT',
      'half NONE',
    ])
    create(image, half)
    expect(image.partition('half', 0)).toMatchObject({ replicas: [2, 1], isr: [1], leader: 1 })
  })

  test('INVALID_CONFIG: null values, and whatever the validator refuses', () => {
    const image = imageWithBrokers(1)
    const seen: unknown[] = []
    const validateConfigs = (settings: readonly { name: string; value: string }[], topic: string) => {
      seen.push([topic, settings])
      return settings.some(({ name }) => name === 'bad') ? refuse(errors.INVALID_CONFIG, 'Not known: bad.') : null
    }
    const { records, reply } = createTopics(
      image,
      createRequest([
        { name: 'null', configs: [{ name: 'retention.ms', value: null }] },
        { name: 'bad', configs: [{ name: 'bad', value: '1' }] },
        {
          name: 'last-wins',
          configs: [
            { name: 'retention.ms', value: '1' },
            { name: 'retention.ms', value: '2' },
          ],
        },
        'plain',
      ]),
      options({ validateConfigs }),
    )
    expect(outcome(reply.topics)).toEqual(['null INVALID_CONFIG', 'bad INVALID_CONFIG', 'last-wins NONE', 'plain NONE'])
    expect(reply.topics[1]).toMatchObject({ errorMessage: 'Not known: bad.', configs: [] })
    expect(seen).toEqual([
      ['bad', [{ name: 'bad', value: '1' }]],
      ['last-wins', [{ name: 'retention.ms', value: '2' }]],
    ])
    take(image, { records, reply })
    expect(image.topicConfigs('last-wins').get('retention.ms')).toBe('2')
  })

  test('min.insync.replicas forgets leader candidates where they are tracked', () => {
    const image = imageWithBrokers(1)
    const topics = [{ name: 'a', configs: [{ name: 'min.insync.replicas', value: '1' }] }]
    const types = () => createTopics(image, createRequest(topics), options()).records.map(({ type }) => type)
    expect(types()).toEqual(['TopicRecord', 'ConfigRecord', 'PartitionRecord'])
    const elr = { name: 'eligible.leader.replicas.version', featureLevel: 1 }
    image.apply([{ type: 'FeatureLevelRecord', value: elr }], 99)
    expect(types()).toEqual(['TopicRecord', 'ConfigRecord', 'ClearElrRecord', 'PartitionRecord'])
  })

  test('POLICY_VIOLATION for everything when one request asks for too much', () => {
    expect(created([{ name: 'big', numPartitions: 10_001 }, 'small', 'small'])).toEqual([
      'big POLICY_VIOLATION',
      'small POLICY_VIOLATION',
      'small POLICY_VIOLATION',
    ])
    expect(created([{ name: 'big', numPartitions: 9_999 }])).toEqual(['big NONE'])
    // 10,000 partitions and the topic's own record are 10,001 records.
    expect(created([{ name: 'big', numPartitions: 10_000 }])).toEqual(['big POLICY_VIOLATION'])
    const huge = { name: 'huge', numPartitions: 2 ** 31 - 1 }
    expect(created([huge, { ...huge, name: 'huge-too' }])).toEqual([
      'huge POLICY_VIOLATION',
      'huge-too POLICY_VIOLATION',
    ])
  })

  test('ids that are taken are not given again', () => {
    const image = imageWithBrokers(1)
    create(image, 'a')
    const ids = ['id-taken', image.topicByName('a')?.topicId ?? '', 'id-taken', 'id-free']
    const newTopicId = () => ids.shift() ?? 'none left'
    const { reply } = createTopics(image, createRequest(['b', 'c']), options({ newTopicId }))
    expect(reply.topics.map(({ topicId }) => topicId)).toEqual(['id-taken', 'id-free'])
  })

  test('leaders are spread over the brokers', () => {
    const image = imageWithBrokers(1, 2, 3)
    create(image, { name: 'a', numPartitions: 6, replicationFactor: 2 })
    const leaders = image.topicByName('a')?.partitions.map(({ leader }) => leader) ?? []
    expect(leaders.toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2, 3, 3])
    for (const { replicas } of image.topicByName('a')?.partitions ?? []) expect(new Set(replicas).size).toBe(2)
  })

  test('several log directories: the broker chooses later', () => {
    const image = imageWithBrokers(1)
    const logDirs = [DIRECTORY, 'another']
    const change = { fenced: 0, inControlledShutdown: 0, logDirs, cordonedLogDirs: null }
    const brokerEpoch = image.broker(1)?.brokerEpoch ?? -1
    image.apply([{ type: 'BrokerRegistrationChangeRecord', value: { ...change, brokerId: 1, brokerEpoch } }], 99)
    create(image, 'a')
    expect(image.partition('a', 0)?.directories).toEqual(['AAAAAAAAAAAAAAAAAAAAAQ'])
    const cordoned = { ...change, logDirs: [], cordonedLogDirs: logDirs }
    image.apply([{ type: 'BrokerRegistrationChangeRecord', value: { ...cordoned, brokerId: 1, brokerEpoch } }], 100)
    const manual = { name: 'c', assignments: [{ partitionIndex: 0, brokerIds: [1] }] }
    expect(created(['b', manual], image)).toEqual(['b INVALID_REPLICATION_FACTOR', 'c INVALID_REPLICA_ASSIGNMENT'])
  })
})
