// A broker that stands for one release: what it tells in ApiVersions, what it refuses, which features it knows.
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { ApiVersions, Heartbeat, Metadata, Produce, encodeRequest, decodeResponse } from '../../../protocol/index.ts'
import { apis as defined } from '../../../protocol/messages/index.ts'
import { apis } from '../../../src/apis/index.ts'
import { servedApis } from '../../../src/apis/served.ts'
import { apiRange, featureRange, releases, type Release } from '../../../src/config/releases.ts'
import { createBroker, type RunningBroker } from '../../../src/index.ts'

const open: RunningBroker[] = []
afterEach(async () => {
  for (const broker of open.splice(0)) await broker.close()
})

async function brokerAs(asVersion?: Release): Promise<number> {
  const broker = createBroker(asVersion === undefined ? {} : { asVersion })
  open.push(broker)
  await broker.listen()
  return Number(broker.bootstrap.split(':').at(-1))
}

/** The frame that answers one request, or null when the connection is closed instead. */
function ask(port: number, request: Buffer): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, 'localhost')
    let answer = Buffer.alloc(0)
    socket.on('data', chunk => {
      answer = Buffer.concat([answer, chunk])
      if (answer.length < 4 || answer.length < 4 + answer.readInt32BE(0)) return
      socket.destroy()
      resolve(answer.subarray(4))
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(null))
    socket.write(request)
  })
}

const bytes = (encoded: { chunks: Buffer[] }): Buffer => Buffer.concat(encoded.chunks)
const askVersions = async (port: number, version: number) => {
  const ask4 = encodeRequest(ApiVersions, version, 1, 'test', {
    clientSoftwareName: 'test',
    clientSoftwareVersion: '1',
  })
  return decodeResponse(ApiVersions, version, (await ask(port, bytes(ask4)))!).value
}

/** A request of any version, so also of one that nobody defines: a header with an empty section of tags, then nothing. */
const headerOf = (apiKey: number, version: number): Buffer => {
  const header = Buffer.from('0000000b0000000000000001000000', 'hex')
  header.writeInt16BE(apiKey, 4)
  header.writeInt16BE(version, 6)
  return header
}

test('the table names APIs as the codec does', () => {
  const served = defined.map(({ name }) => name)
  for (const name of ['Produce', 'ListConfigResources', 'UnregisterController']) expect(served).toContain(name)
  for (const { name } of defined) expect([name, apiRange('4.4', name) !== undefined]).toEqual([name, true])
  expect(apiRange('3.9', 'StreamsGroupHeartbeat')).toBeUndefined()
  expect(apiRange('4.1', 'OffsetCommit')).toEqual([2, 9])
  expect(apiRange('4.2', 'OffsetCommit')).toEqual([2, 10])
})

describe.each(releases)('as %s', release => {
  test('ApiVersions tells what the release and we serve', async () => {
    const { errorCode, apiKeys, supportedFeatures, finalizedFeatures } = await askVersions(await brokerAs(release), 4)
    expect(errorCode).toBe(0)
    const told = new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]))
    const expected = apis.flatMap(({ api, advertised: [min, max] }) => {
      const range = apiRange(release, api.name)
      if (!range) return []
      return [[api.key, [api === Produce ? 0 : Math.max(min, range[0]), Math.min(max, range[1])]]] as const
    })
    expect(told).toEqual(new Map(expected))
    const [low, high] = featureRange(release, 'metadata.version')!
    expect(finalizedFeatures.find(({ name }) => name === 'metadata.version')).toMatchObject({ maxVersionLevel: high })
    const metadata = supportedFeatures.find(({ name }) => name === 'metadata.version')!
    expect(metadata.maxVersion).toBe(high)
    expect(metadata.minVersion).toBeGreaterThanOrEqual(low)
  })

  test('versions outside are refused by closing the connection', async () => {
    const port = await brokerAs(release)
    for (const { api, versions } of servedApis({ 'odradek.as.version': release })) {
      if (api.key === ApiVersions.key) continue
      expect([api.name, await ask(port, headerOf(api.key, versions[1] + 1))]).toEqual([api.name, null])
      if (versions[0] > 0) {
        expect([api.name, await ask(port, headerOf(api.key, versions[0] - 1))]).toEqual([api.name, null])
      }
    }
    const heartbeat = encodeRequest(Heartbeat, 4, 1, 'test', { groupId: 'g', generationId: 1, memberId: 'm' })
    expect(await ask(port, bytes(heartbeat))).not.toBeNull()
  })

  test('ApiVersions above the release is answered with the range of the release', async () => {
    const port = await brokerAs(release)
    const max = apiRange(release, 'ApiVersions')![1]
    const answer = (await ask(port, headerOf(ApiVersions.key, max + 1)))!
    expect(decodeResponse(ApiVersions, 0, answer).value).toMatchObject({
      errorCode: 35,
      apiKeys: [{ apiKey: ApiVersions.key, minVersion: 0, maxVersion: max }],
    })
  })
})

test('a broker of no release serves the widest, with Produce told from 0', async () => {
  const port = await brokerAs()
  const { apiKeys } = await askVersions(port, 5)
  const told = new Map(apiKeys.map(({ apiKey, maxVersion, minVersion }) => [apiKey, [minVersion, maxVersion]]))
  expect(told.get(Produce.key)).toEqual([0, 13])
  expect(told.get(Metadata.key)).toEqual([0, 13])
  expect(told.get(ApiVersions.key)).toEqual([0, 5])
})
