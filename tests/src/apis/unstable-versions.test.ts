// unstable.api.versions.enable: what Kafka calls unstable is told and served with it, and refused without.
import { afterEach, describe, expect, test } from 'vitest'
import {
  INVALID_REQUEST,
  INVALID_TRANSACTION_TIMEOUT,
  NONE,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  UNSUPPORTED_VERSION,
} from '../../../protocol/errors.ts'
import { apis as definitions, ApiVersions, FindCoordinator, InitProducerId } from '../../../protocol/index.ts'
import { open } from '../../../compat/harness/wire.ts'
import { apis } from '../../../src/apis/index.ts'
import { servedApis } from '../../../src/apis/served.ts'
import { createBroker, type RunningBroker } from '../../../src/index.ts'

const running: RunningBroker[] = []
afterEach(async () => {
  for (const broker of running.splice(0)) await broker.close()
})

async function start(config: Readonly<Record<string, string | boolean | number>>) {
  const broker = createBroker({ config: { 'transaction.state.log.replication.factor': 1, ...config } })
  running.push(broker)
  await broker.listen()
  return open(broker.bootstrap)
}

test('every version that Kafka calls unstable is served, and only with the key', () => {
  const unstable = definitions.filter(({ latestStable, versions }) => latestStable !== versions[1])
  const served = apis.filter(handler => handler.unstable !== undefined)
  expect(served.map(({ api, unstable: max }) => [api.name, max])).toEqual(
    unstable.map(({ name, versions }) => [name, versions[1]]),
  )
  for (const { api, versions, advertised } of apis) {
    expect([api.name, versions[1] <= api.latestStable, advertised[1] <= api.latestStable]).toEqual([
      api.name,
      true,
      true,
    ])
  }
  const withThem = servedApis({ 'odradek.as.version': null, 'unstable.api.versions.enable': true })
  expect(withThem.find(({ api }) => api.key === InitProducerId.key)).toMatchObject({
    versions: [0, 6],
    advertised: [0, 6],
  })
  const as = servedApis({ 'odradek.as.version': '4.4', 'unstable.api.versions.enable': true })
  expect(as.find(({ api }) => api.key === InitProducerId.key)!.versions).toEqual([0, 5])
})

describe('InitProducerId 6', () => {
  const maxOf = async (wire: Awaited<ReturnType<typeof start>>) =>
    (await wire.request(ApiVersions, 0, {})).apiKeys.find(({ apiKey }) => apiKey === InitProducerId.key)!.maxVersion

  test('without the key it closes the connection', async () => {
    const wire = await start({})
    expect(await maxOf(wire)).toBe(5)
    const request = { transactionalId: null, transactionTimeoutMs: 1000 }
    await expect(wire.request(InitProducerId, 6, request)).rejects.toThrow(/connection was closed/)
    wire.close()
  })

  test.each<[string, Parameters<typeof ask>[1], number]>([
    ['two-phase commit', { enable2Pc: true }, TRANSACTIONAL_ID_AUTHORIZATION_FAILED],
    ['what is prepared', { keepPreparedTxn: true }, UNSUPPORTED_VERSION],
    ['both', { enable2Pc: true, keepPreparedTxn: true }, TRANSACTIONAL_ID_AUTHORIZATION_FAILED],
    [
      'what is prepared, for too long',
      { keepPreparedTxn: true, transactionTimeoutMs: 2 ** 31 - 1 },
      UNSUPPORTED_VERSION,
    ],
    ['for too long', { transactionTimeoutMs: 2 ** 31 - 1 }, INVALID_TRANSACTION_TIMEOUT],
    ['the empty id', { transactionalId: '', enable2Pc: true }, INVALID_REQUEST],
    ['no id', { transactionalId: null, enable2Pc: true, keepPreparedTxn: true }, NONE],
    ['neither', {}, NONE],
  ])('%s', async (_, o, code) => {
    const wire = await start({ 'unstable.api.versions.enable': true })
    expect(await maxOf(wire)).toBe(6)
    const { coordinators } = await wire.request(FindCoordinator, 4, { keyType: 1, coordinatorKeys: ['x'] })
    expect(coordinators[0]!.errorCode).toBe(NONE)
    const answer = await ask(wire, o)
    expect(answer.errorCode).toBe(code)
    expect(answer).toMatchObject({ ongoingTxnProducerId: -1, ongoingTxnProducerEpoch: -1 })
    expect(answer.producerId >= 0).toBe(code === NONE)
    wire.close()
  })

  function ask(
    wire: Awaited<ReturnType<typeof start>>,
    o: {
      transactionalId?: string | null
      transactionTimeoutMs?: number
      enable2Pc?: boolean
      keepPreparedTxn?: boolean
    },
  ) {
    return wire.request(InitProducerId, 6, { transactionalId: 'x', transactionTimeoutMs: 60_000, ...o })
  }
})
