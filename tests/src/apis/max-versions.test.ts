// odradek.test.max.versions: lowered ceilings are what ApiVersions tells and what dispatch serves.
import { expect, test } from 'vitest'
import { ApiVersions, Fetch, Heartbeat, Produce } from '../../../protocol/index.ts'
import { open } from '../../../compat/harness/wire.ts'
import { apis } from '../../../src/apis/index.ts'
import { servedApis } from '../../../src/apis/served.ts'
import { parse } from '../../../src/config/index.ts'
import { createBroker } from '../../../src/index.ts'

const ranges = (text: string) =>
  new Map(
    servedApis({ 'odradek.as.version': null, 'odradek.test.max.versions': text }).map(
      ({ api, versions, advertised }) => {
        expect(advertised).toEqual(versions)
        return [api.key, versions]
      },
    ),
  )

test('ceilings lower, never raise; the other APIs stay as they are', () => {
  const all = new Map(apis.map(({ api, versions }) => [api.key, versions]))
  const lowered = ranges('0:2, 1:3 ,18:99')
  expect([lowered.get(0), lowered.get(1)]).toEqual([
    [0, 2],
    [0, 3],
  ])
  lowered.delete(0)
  lowered.delete(1)
  for (const [key, versions] of lowered) expect([key, versions]).toEqual([key, all.get(key)])
  expect(lowered.size).toBe(all.size - 2)
  // OffsetCommit is served from version 1 on: below it nothing is left.
  expect(ranges('8:0').has(8)).toBe(false)
  expect(servedApis({ 'odradek.as.version': null, 'odradek.test.max.versions': '' })).toBe(apis)
})

test('a text that is no list of pairs is refused', () => {
  for (const text of ['0', '0:', '0:2;1:3', 'a:b', '0:2,', '-1:2']) {
    expect(() => parse({ flags: { 'odradek.test.max.versions': text } })).toThrow(
      /odradek\.test\.max\.versions must be/,
    )
  }
  expect(parse({ flags: { 'odradek.test.max.versions': '0:2,1:3' } })['odradek.test.max.versions']).toBe('0:2,1:3')
})

test('a broker tells and serves them', async () => {
  const broker = createBroker({ config: { 'odradek.test.max.versions': '0:2,1:3,12:1,18:2' } })
  await broker.listen()
  try {
    const wire = await open(broker.bootstrap)
    const { apiKeys } = await wire.request(ApiVersions, 2, {})
    const told = new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]))
    expect([0, 1, 12, 18].map(key => told.get(key))).toEqual([
      [0, 2],
      [0, 3],
      [0, 1],
      [0, 2],
    ])
    expect(await wire.request(Produce, 2, { acks: 1, timeoutMs: 1000, topicData: [] })).toMatchObject({ responses: [] })
    const fetch = { maxWaitMs: 0, minBytes: 0, topics: [], forgottenTopicsData: [] }
    expect(await wire.request(Fetch, 3, fetch)).toMatchObject({ responses: [] })
    await expect(wire.request(Heartbeat, 2, { groupId: 'g', generationId: 1, memberId: 'm' })).rejects.toThrow(
      /connection was closed/,
    )
    wire.close()
  } finally {
    await broker.close()
  }
})
