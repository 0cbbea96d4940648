// GetTelemetrySubscriptions and PushTelemetry over the real handlers in virtual time.
import { beforeEach, describe, expect, test } from 'vitest'
import { open } from '../../../compat/harness/wire.ts'
import { createBroker } from '../../../src/index.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import {
  INVALID_RECORD,
  INVALID_REQUEST,
  NONE,
  TELEMETRY_TOO_LARGE,
  THROTTLING_QUOTA_EXCEEDED,
  UNKNOWN_SUBSCRIPTION_ID,
  UNSUPPORTED_COMPRESSION_TYPE,
} from '../../../protocol/errors.ts'
import {
  ApiVersions,
  GetTelemetrySubscriptions,
  IncrementalAlterConfigs,
  ListConfigResources,
  PushTelemetry,
} from '../../../protocol/messages/index.ts'
import { codecReady, compress, GZIP, ZSTD } from '../../../protocol/records/compression.ts'
import { ClientTelemetry, type TelemetryClient } from '../../../src/observe/client-telemetry.ts'
import { silentLogger } from '../../../src/runtime/index.ts'
import { parse } from '../../../src/config/index.ts'
import { metricsData } from '../observe/otlp.ts'
import { testBroker, testConnection, type TestBroker, type TestConnection } from '../broker/harness.ts'

const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA'
const GOOD = metricsData([{ name: 'org.apache.kafka.x', value: 3 }], { group_id: 'g' })
let broker: TestBroker
beforeEach(async () => {
  broker = await testBroker({ files: memoryFiles(), config: { 'telemetry.max.bytes': 1000 } })
})

async function subscribe(name: string, settings: Readonly<Record<string, string | null>>, on = broker): Promise<void> {
  const configs = Object.entries(settings).map(([key, value]) => ({
    name: key,
    configOperation: value === null ? 1 : 0,
    value,
  }))
  const resources = [{ resourceType: 16, resourceName: name, configs }]
  const { responses } = (await on.ask(IncrementalAlterConfigs, { resources, validateOnly: false }))!
  expect(responses[0]).toMatchObject({ errorCode: NONE })
}

const get = async (clientInstanceId = NO_ID, over?: TestConnection, on = broker) =>
  (await on.ask(GetTelemetrySubscriptions, { clientInstanceId }, 0, over))!

type Subscription = Awaited<ReturnType<typeof get>>
interface Push {
  metrics?: Buffer
  compressionType?: number
  terminating?: boolean
  subscriptionId?: number
}

const push = async ({ clientInstanceId, subscriptionId }: Subscription, o: Push = {}, over?: TestConnection) => {
  const ask = { clientInstanceId, subscriptionId, terminating: false, compressionType: 0, metrics: GOOD, ...o }
  return (await broker.ask(PushTelemetry, ask, 0, over))!.errorCode
}

describe('subscriptions', () => {
  test('none: nothing is wanted, and a client gets an id', async () => {
    const found = await get()
    expect(found).toMatchObject({
      errorCode: NONE,
      requestedMetrics: [],
      pushIntervalMs: 300_000,
      telemetryMaxBytes: 1000,
      acceptedCompressionTypes: [4, 3, 1, 2],
      deltaTemporality: true,
    })
    expect(found.clientInstanceId).not.toBe(NO_ID)
    expect((await get()).clientInstanceId).not.toBe(found.clientInstanceId)
  })

  test('those that match are taken together: their names, the shortest interval', async () => {
    await subscribe('a', { metrics: 'x.,y.', 'interval.ms': '1000', match: 'client_software_name=te.t' })
    await subscribe('b', { metrics: 'y.,z.', 'interval.ms': '500', match: 'client_source_address=127\\..*' })
    await subscribe('c', { metrics: '*', 'interval.ms': '100', match: 'client_software_name=tes' })
    expect(await get()).toMatchObject({ requestedMetrics: ['x.', 'y.', 'z.'], pushIntervalMs: 500 })
    await subscribe('c', { match: 'client_software_name=test' })
    expect(await get()).toMatchObject({ requestedMetrics: ['*'], pushIntervalMs: 100 })
    await subscribe('c', { metrics: null, match: null, 'interval.ms': null })
    expect(await get()).toMatchObject({ requestedMetrics: ['x.', 'y.', 'z.'], pushIntervalMs: 500 })
  })

  test('the subscription id follows what is wanted, and the client', async () => {
    const [a, b] = [await get(), await get()]
    expect(a.subscriptionId).not.toBe(b.subscriptionId)
    await subscribe('a', { metrics: 'x.' })
    const changed = await get(a.clientInstanceId)
    expect(changed.subscriptionId).not.toBe(a.subscriptionId)
    await subscribe('a', { metrics: null })
    expect((await get(a.clientInstanceId)).subscriptionId).toBe(a.subscriptionId)
  })

  test('the subscription id is the one that Kafka works out', async () => {
    // As Apache Kafka 4.3.1 answered.
    expect((await get('VmFIuk_tRhSv1DISycI3QQ')).subscriptionId).toBe(-1_419_947_997)
    await subscribe('a', { metrics: 'org.one.', 'interval.ms': '5000' })
    expect((await get('1qrKuHQzirl5sgAcouUh9g')).subscriptionId).toBe(-1_014_423_266)
  })

  test('outlive a restart, are listed, and a change brings a client its new one at once', async () => {
    const files = memoryFiles()
    const first = await testBroker({ files })
    await subscribe('a', { metrics: 'x.' }, first)
    await first.opened.close()
    const second = await testBroker({ files })
    const { clientInstanceId, requestedMetrics } = await get(NO_ID, undefined, second)
    expect(requestedMetrics).toEqual(['x.'])
    expect((await second.ask(ListConfigResources, {}, 0))!.configResources).toMatchObject([{ resourceName: 'a' }])
    expect((await get(clientInstanceId, undefined, second)).errorCode).toBe(THROTTLING_QUOTA_EXCEEDED)
    await subscribe('a', { metrics: 'y.' }, second)
    expect((await get(clientInstanceId, undefined, second)).requestedMetrics).toEqual(['y.'])
  })

  test('asked too soon: an error and nothing else; in time again', async () => {
    const { clientInstanceId } = await get()
    expect(await get(clientInstanceId)).toMatchObject({
      errorCode: THROTTLING_QUOTA_EXCEEDED,
      clientInstanceId: NO_ID,
      acceptedCompressionTypes: [],
    })
    broker.runtime.advance(300_000)
    expect((await get(clientInstanceId)).errorCode).toBe(NONE)
  })

  test('both APIs are told', async () => {
    const { apiKeys } = (await broker.ask(ApiVersions, { clientSoftwareName: 'a', clientSoftwareVersion: '1' }))!
    expect(apiKeys.filter(({ apiKey }) => apiKey === 71 || apiKey === 72)).toEqual([
      { apiKey: 71, minVersion: 0, maxVersion: 0 },
      { apiKey: 72, minVersion: 0, maxVersion: 0 },
    ])
  })
})

describe('pushes', () => {
  test('are kept and exposed, in any codec', async () => {
    await codecReady(ZSTD)
    const subscription = await get()
    expect(await push(subscription, { compressionType: ZSTD, metrics: compress(ZSTD, GOOD) })).toBe(NONE)
    expect(broker.opened.broker.telemetry.clients()).toMatchObject([
      {
        clientInstanceId: subscription.clientInstanceId,
        softwareName: 'test',
        address: '127.0.0.1',
        pushes: 1,
        resource: { group_id: 'g' },
        metrics: [{ name: 'org.apache.kafka.x', kind: 'gauge', value: 3 }],
      },
    ])
  })

  test('one right after the subscription, then one in each interval; the last one at any time', async () => {
    const subscription = await get()
    expect(await push(subscription)).toBe(NONE)
    expect(await push(subscription)).toBe(THROTTLING_QUOTA_EXCEEDED)
    broker.runtime.advance(299_999)
    expect(await push(subscription)).toBe(THROTTLING_QUOTA_EXCEEDED)
    broker.runtime.advance(1)
    expect(await push(subscription)).toBe(NONE)
    expect(await push(subscription, { terminating: true })).toBe(NONE)
    expect(broker.opened.broker.telemetry.clients()[0]).toMatchObject({ pushes: 3, isTerminated: true })
    expect(await push(subscription, { terminating: true })).toBe(INVALID_REQUEST)
  })

  test.each<[string, number, Push]>([
    ['another subscription', UNKNOWN_SUBSCRIPTION_ID, { subscriptionId: 7 }],
    ['an unknown codec', UNSUPPORTED_COMPRESSION_TYPE, { compressionType: 5 }],
    ['too large', TELEMETRY_TOO_LARGE, { metrics: Buffer.alloc(1001) }],
    ['too large when expanded', INVALID_RECORD, { compressionType: GZIP, metrics: compress(GZIP, Buffer.alloc(2000)) }],
    ['not compressed', INVALID_RECORD, { compressionType: GZIP }],
    ['no metrics', INVALID_RECORD, { metrics: Buffer.from('x') }],
  ])('%s', async (_, code, o) => {
    const subscription = await get()
    expect(await push(subscription, o)).toBe(code)
    expect(broker.opened.broker.telemetry.clients()).toEqual([])
    // After these two a client may ask at once what is wanted of it.
    const mayAsk = code === UNKNOWN_SUBSCRIPTION_ID || code === UNSUPPORTED_COMPRESSION_TYPE
    expect((await get(subscription.clientInstanceId)).errorCode).toBe(mayAsk ? NONE : THROTTLING_QUOTA_EXCEEDED)
  })

  test('without an id, or with a reserved one', async () => {
    const subscription = await get()
    for (const clientInstanceId of [NO_ID, 'AAAAAAAAAAAAAAAAAAAAAQ'])
      // oxlint-disable-next-line no-await-in-loop -- in order
      expect(await push({ ...subscription, clientInstanceId })).toBe(INVALID_REQUEST)
  })

  test('a client whose connection has closed starts anew; what it pushed is kept', async () => {
    const connection = testConnection(7)
    const subscription = await get(NO_ID, connection)
    expect(await push(subscription, {}, connection)).toBe(NONE)
    connection.drop()
    expect((await get(subscription.clientInstanceId)).errorCode).toBe(NONE)
    expect(broker.opened.broker.telemetry.clients()).toHaveLength(1)
  })
})

test('over sockets, and told by the object of createBroker', async () => {
  const running = createBroker()
  expect(running.clientMetrics()).toEqual([])
  await running.listen()
  try {
    const wire = await open(running.bootstrap)
    const { clientInstanceId, subscriptionId } = await wire.request(GetTelemetrySubscriptions, 0, {
      clientInstanceId: NO_ID,
    })
    const last = { clientInstanceId, subscriptionId, terminating: true, compressionType: 0, metrics: GOOD }
    expect(await wire.request(PushTelemetry, 0, last)).toMatchObject({ errorCode: NONE })
    expect(running.clientMetrics()).toMatchObject([
      { clientInstanceId, clientId: 'wire', isTerminated: true, metrics: [{ name: 'org.apache.kafka.x' }] },
    ])
    wire.close()
  } finally {
    await running.close()
  }
})

test('a client that was not heard of for three intervals, or too many others since, starts anew', () => {
  const telemetry = new ClientTelemetry({
    config: parse({ flags: {} }),
    newId: () => 'unused',
    log: silentLogger,
    maxClients: 2,
  })
  telemetry.subscribe('a', new Map([['interval.ms', '60000']]))
  const client: TelemetryClient = {
    connectionId: 1,
    clientId: 'c',
    softwareName: 's',
    softwareVersion: '1',
    address: '::1',
    port: 1,
    onClose: () => undefined,
  }
  const ids = [1, 2, 3].map(i => Buffer.alloc(16, i).toString('base64url'))
  const ask = (id: string, now: number) => telemetry.subscriptionOf({ clientInstanceId: id }, client, now).errorCode
  const start = 1_700_000_000_000
  expect(ask(ids[0]!, start)).toBe(NONE)
  expect(ask(ids[0]!, start + 1)).toBe(THROTTLING_QUOTA_EXCEEDED)
  expect(ask(ids[1]!, start + 2)).toBe(NONE)
  expect(ask(ids[2]!, start + 3)).toBe(NONE)
  expect(ask(ids[0]!, start + 4)).toBe(NONE)
  expect(ask(ids[0]!, start + 5)).toBe(THROTTLING_QUOTA_EXCEEDED)
  expect(ask(ids[0]!, start + 5 + 180_000)).toBe(NONE)
})
