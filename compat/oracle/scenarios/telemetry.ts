// Client telemetry (KIP-714): what clients are asked for by which subscription, how often they may ask and push, and what
// they may push. Each client has an id of its own, so that subscription ids are the same on both sides.
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { AskOf } from '../../../protocol/api.ts'
import {
  ApiVersions,
  GetTelemetrySubscriptions,
  IncrementalAlterConfigs,
  ListConfigResources,
  PushTelemetry,
} from '../../../protocol/index.ts'
import { compress, GZIP, LZ4, SNAPPY, ZSTD } from '../../../protocol/records/compression.ts'
import { scenario, type Case } from '../scenario.ts'
import type { Wire } from '../../harness/wire.ts'
import { pause } from '../scenario.ts'

const CLIENT_METRICS = 16
const [SET, DELETE] = [0, 1]
const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA'
const ONE_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
/** Longer than an answer takes. */
const INTERVAL_MS = 1500
const MAX_BYTES = 1_048_576

/** The id of a client of this case. */
const idOf = (on: Case, hint: string): string =>
  createHash('sha256').update(on.name(hint)).digest().subarray(0, 16).toString('base64url')

const subscribe = (on: Case, name: string, settings: Readonly<Record<string, string | null>>) =>
  on.use(IncrementalAlterConfigs, {
    resources: [
      {
        resourceType: CLIENT_METRICS,
        resourceName: on.name(name),
        configs: Object.entries(settings).map(([key, value]) => ({
          name: key,
          configOperation: value === null ? DELETE : SET,
          value,
        })),
      },
    ],
    validateOnly: false,
  })

/** Until the broker half of Kafka has heard of it: a client that nobody has seen yet is asked for this. */
const isAsked = (on: Case, hint: string, metrics: string, wire?: Wire): Promise<void> => {
  let count = 0
  return on.until(`clients are asked for ${metrics}`, async () => {
    const ask = { clientInstanceId: idOf(on, `${hint} ${count++}`) }
    return (await on.useVersion(GetTelemetrySubscriptions, 0, ask, wire)).requestedMetrics.toSorted().join() === metrics
  })
}

/** One gauge with one point, as OTLP. */
function gauge(name: string, value: number): Buffer {
  const field = (number: number, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes])
  const point = Buffer.alloc(9)
  point[0] = (4 << 3) | 1
  point.writeDoubleLE(value, 1)
  const metric = Buffer.concat([field(1, Buffer.from(name)), field(5, field(1, point))])
  return field(1, field(2, field(2, metric)))
}

const GOOD = gauge('org.apache.kafka.producer.connection.count', 3)

const subscriptions = scenario(
  'telemetry/subscriptions',
  GetTelemetrySubscriptions,
  async (on, v) => {
    const wire = await on.connect()
    const ask = (label: string, clientInstanceId: string, over?: Wire) =>
      on.ask(label, GetTelemetrySubscriptions, v, { clientInstanceId }, over)
    const fresh = (label: string, over?: Wire) =>
      on.attempt(label, GetTelemetrySubscriptions, v, { clientInstanceId: NO_ID }, over, answer => ({
        ...answer,
        clientInstanceId: answer.clientInstanceId === NO_ID ? 'none' : 'some',
        subscriptionId: 0,
        requestedMetrics: answer.requestedMetrics.toSorted(),
      }))
    await fresh('a client without an id, and no subscription')
    await ask('a client with one', idOf(on, 'a'))
    await ask('too soon again', idOf(on, 'a'))
    await ask('the id that is one', ONE_ID)
    await on.useVersion(ApiVersions, 3, { clientSoftwareName: 'special', clientSoftwareVersion: '1.2.3' }, wire)
    await subscribe(on, 'one', { metrics: 'org.one.', 'interval.ms': '5000', match: 'client_software_name=special' })
    await isAsked(on, 'wait 1', 'org.one.', wire)
    await ask('one subscription', idOf(on, 'b'), wire)
    await ask('it selects others', idOf(on, 'c'))
    await ask('known, and the subscriptions have changed', idOf(on, 'a'))
    await ask('too soon after that', idOf(on, 'a'))
    await subscribe(on, 'two', {
      metrics: 'org.one.,org.two.',
      'interval.ms': '300',
      match: 'client_software_name=spec.*,client_software_version=1\\..*,client_source_address=127.0.0.1',
    })
    await isAsked(on, 'wait 2', 'org.one.,org.two.', wire)
    await fresh('two subscriptions, of which one has two names', wire)
    await subscribe(on, 'three', { metrics: '*', match: 'client_id=oracle,client_software_name=special' })
    await isAsked(on, 'wait 3', '*', wire)
    await ask('everything', idOf(on, 'd'), wire)
    await subscribe(on, 'three', { match: 'client_id=orac,client_software_name=special' })
    await isAsked(on, 'wait 4', 'org.one.,org.two.', wire)
    await subscribe(on, 'three', { match: null, metrics: null })
    await subscribe(on, 'two', { match: null, metrics: null, 'interval.ms': null })
    await isAsked(on, 'wait 5', 'org.one.', wire)
    await ask('one again', idOf(on, 'e'), wire)
    await on.attempt('listed', ListConfigResources, 0, {}, undefined, answer => ({
      ...answer,
      configResources: answer.configResources.filter(({ resourceName }) => resourceName.startsWith(on.name(''))),
    }))
    await subscribe(on, 'one', { match: null, metrics: null, 'interval.ms': null })
    await isAsked(on, 'wait 6', '', wire)
    await on.attempt('none listed', ListConfigResources, 0, {}, undefined, answer => ({
      ...answer,
      configResources: answer.configResources.filter(({ resourceName }) => resourceName.startsWith(on.name(''))),
    }))
  },
  { alone: true },
)

/** A client of its own connection and software, which its own subscription selects. */
async function start(
  on: Case,
): Promise<{ wire: Wire; get: (hint: string) => Promise<{ id: string; subscription: number }> }> {
  const wire = await on.connect()
  const software = on.name('software')
  await on.useVersion(ApiVersions, 3, { clientSoftwareName: software, clientSoftwareVersion: '1' }, wire)
  const match = `client_software_name=${software}`
  await subscribe(on, 's', { metrics: 'org.', 'interval.ms': String(INTERVAL_MS), match })
  await isAsked(on, 'wait', 'org.', wire)
  return {
    wire,
    async get(hint) {
      const id = idOf(on, hint)
      const answer = await on.useVersion(GetTelemetrySubscriptions, 0, { clientInstanceId: id }, wire)
      return { id, subscription: answer.subscriptionId }
    },
  }
}

const pushes = scenario(
  'telemetry/pushes',
  PushTelemetry,
  async (on, v) => {
    const { wire, get } = await start(on)
    const push = (
      label: string,
      { id, subscription }: { id: string; subscription: number },
      o: Partial<AskOf<typeof PushTelemetry>> = {},
    ) =>
      on.ask(
        label,
        PushTelemetry,
        v,
        {
          clientInstanceId: id,
          subscriptionId: subscription,
          terminating: false,
          compressionType: 0,
          metrics: GOOD,
          ...o,
        },
        wire,
      )
    const again = (label: string, { id }: { id: string }) =>
      on.ask(label, GetTelemetrySubscriptions, 0, { clientInstanceId: id }, wire)

    const a = await get('a')
    await push('metrics', a)
    await push('too soon', a)
    await pause(INTERVAL_MS + 50)
    await push('in time', a)
    await again('the subscription too soon', a)
    await push('the last ones, too soon', a, { terminating: true })
    await push('after the last ones', a)
    await push('after that', a, { terminating: true })

    const b = await get('b')
    await push('another subscription', { ...b, subscription: b.subscription + 1 })
    await again('the subscription at once after that', b)
    const c = await get('c')
    await push('an unknown codec', c, { compressionType: 9 })
    await again('the subscription at once after that codec', c)
    await push('a negative codec', await get('d'), { compressionType: -1 })
    const e = await get('e')
    await push('nothing', e, { metrics: Buffer.alloc(0) })
    await push('too large', await get('f'), { metrics: Buffer.alloc(MAX_BYTES + 1) })
    await push('as large as may be, but no metrics', await get('g'), { metrics: Buffer.alloc(MAX_BYTES, 0xff) })
    await push('no metrics', await get('h'), { metrics: Buffer.from('no protobuf') })
    await push('cut off', await get('i'), { metrics: GOOD.subarray(0, GOOD.length - 3) })
    await push('an unknown field', await get('j'), { metrics: Buffer.concat([GOOD, Buffer.from([0x98, 0x06, 1])]) })
    for (const [name, codec] of [
      ['gzip', GZIP],
      ['snappy', SNAPPY],
      ['lz4', LZ4],
      ['zstd', ZSTD],
    ] as const) {
      await push(`with ${name}`, await get(name), { compressionType: codec, metrics: compress(codec, GOOD) })
      await push(`not with ${name}`, await get(`not ${name}`), { compressionType: codec, metrics: GOOD })
    }
    const large = gzipSync(Buffer.alloc(4 * MAX_BYTES))
    await push('small, but expands to much', await get('k'), { compressionType: GZIP, metrics: large })
    await push('no id', { id: NO_ID, subscription: 0 })
    await push('the id that is one', { id: ONE_ID, subscription: 0 })
    await push('a client that never asked', { id: idOf(on, 'never'), subscription: 1 })
    const l = await get('l')
    await push('the last ones', l, { terminating: true, metrics: Buffer.alloc(0) })
    await again('the subscription after the last ones', l)
    await subscribe(on, 's', { match: null, metrics: null, 'interval.ms': null })
  },
  { alone: true },
)

export const telemetryScenarios = [subscriptions, pushes]
