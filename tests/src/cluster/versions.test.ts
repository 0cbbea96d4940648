/** The controller's replies in every version of their responses: what each version can carry, and nothing it cannot. */
import { describe, expect, test } from 'vitest'
import type { Api, ReplyOf } from '../../../protocol/api.ts'
import { decode, encode } from '../../../protocol/compile.ts'
import { CreatePartitions, CreateTopics, DeleteTopics } from '../../../protocol/messages/index.ts'
import { errorOf } from '../../../protocol/errors.ts'
import { Reader } from '../../../protocol/reader.ts'
import { Writer } from '../../../protocol/writer.ts'
import { createPartitions, createTopics, deleteTopics } from '../../../src/cluster/controller.ts'
import { ZERO_UUID } from '../../../src/cluster/records.ts'
import { createRequest, idsFrom, imageWithBrokers, options, take } from './support.ts'

function overTheWire<A extends Api>(api: A, version: number, reply: ReplyOf<A>) {
  const writer = new Writer()
  encode(api.response, version, reply, writer)
  const reader = new Reader(writer.toBuffer())
  const value = decode(api.response, version, reader)
  reader.expectEnd()
  return value
}
const versionsOf = ({ versions: [first, last] }: Api) => Array.from({ length: last - first + 1 }, (_, i) => first + i)

describe('CreateTopics', () => {
  const entry = { name: 'retention.ms', value: null, readOnly: false, configSource: 5, isSensitive: true }
  const request = createRequest([{ name: 'a', numPartitions: 2 }, '..'])
  const { reply } = createTopics(imageWithBrokers(1), request, options({ describeConfigs: () => [entry] }))

  test.each(versionsOf(CreateTopics))('v%i', version => {
    expect(overTheWire(CreateTopics, version, reply).topics).toEqual([
      {
        name: 'a',
        topicId: version >= 7 ? 'id-000000000000000001A' : ZERO_UUID,
        errorCode: 0,
        errorMessage: version >= 1 ? null : '',
        topicConfigErrorCode: 0,
        numPartitions: version >= 5 ? 2 : -1,
        replicationFactor: version >= 5 ? 1 : -1,
        configs: version >= 5 ? [entry] : [],
      },
      {
        name: '..',
        topicId: ZERO_UUID,
        errorCode: 17,
        errorMessage: version >= 1 ? "This is no legal topic name: '..' is reserved." : '',
        topicConfigErrorCode: 0,
        numPartitions: -1,
        replicationFactor: -1,
        configs: [],
      },
    ])
  })
})

describe('DeleteTopics', () => {
  const image = imageWithBrokers(1)
  take(image, createTopics(image, createRequest(['a']), options({ newTopicId: idsFrom() })))
  const topicId = image.topicByName('a')?.topicId ?? ''

  test.each(versionsOf(DeleteTopics))('v%i', version => {
    const unknown = 'dW5rbm93bi10b3BpYy1pZA'
    const byId = [topicId, unknown].map(id => ({ name: null, topicId: id }))
    const asked = version >= 6 ? { topics: byId, topicNames: [] } : { topics: [], topicNames: ['a', 'none'] }
    const { reply } = deleteTopics(image, { ...asked, timeoutMs: 0 }, { enabled: true, apiVersion: version })
    const { responses } = overTheWire(DeleteTopics, version, reply)
    const done = { name: 'a', topicId: version >= 6 ? topicId : ZERO_UUID, errorCode: 0, errorMessage: null }
    const refused =
      version >= 6
        ? { name: null, topicId: unknown, errorCode: 100 }
        : { name: 'none', topicId: ZERO_UUID, errorCode: 3 }
    expect(responses).toEqual([
      { ...refused, errorMessage: version >= 5 ? errorOf(refused.errorCode).message : null },
      done,
    ])
  })
})

describe('CreatePartitions', () => {
  test.each(versionsOf(CreatePartitions))('v%i', version => {
    const topics = [{ name: 'none', count: 2, assignments: null }]
    const { reply } = createPartitions(imageWithBrokers(1), { topics, timeoutMs: 0, validateOnly: false })
    expect(overTheWire(CreatePartitions, version, reply)).toEqual({
      throttleTimeMs: 0,
      results: [{ name: 'none', errorCode: 3, errorMessage: null }],
    })
  })
})
