// The limits of the server are read from the live configuration: what a dynamic change touches counts at once.
import { expect, test } from 'vitest'
import { applyDynamic, liveConfig, parse } from '../../src/config/index.ts'
import { serverLimits } from '../../src/server-limits.ts'

test.each([
  ['max.connections', '7', 'maxConnections', 7],
  ['max.connection.creation.rate', '7', 'maxConnectionRate', 7],
  ['listener.name.plaintext.max.connections', '7', 'listenerLimits', new Map([['PLAINTEXT', { maxConnections: 7 }]])],
  ['max.connections.per.ip', '7', 'maxConnectionsPerIp', 7],
  ['max.connections.per.ip.overrides', '10.0.0.1:7', 'maxConnectionsPerIpOverrides', new Map([['10.0.0.1', 7]])],
] as const)('%s, from the start and changed', (key, value, limit, expected) => {
  expect(serverLimits(parse({ flags: { [key]: value } }))[limit]).toEqual(expected)
  const config = liveConfig(parse({ flags: {} }))
  const limits = serverLimits(config)
  const before = limits[limit]
  expect(before).not.toEqual(expected)
  applyDynamic(config, { broker: new Map(), cluster: new Map([[key, value]]) })
  expect(limits[limit]).toEqual(expected)
  applyDynamic(config, { broker: new Map(), cluster: new Map() })
  expect(limits[limit]).toEqual(before)
})

test.each([
  ['socket.request.max.bytes', '5000', 'maxFrameBytes', 5000],
  ['queued.max.request.bytes', '5000', 'maxBufferedBytes', 5000],
  ['queued.max.request.bytes', '-1', 'maxBufferedBytes', 256 << 20],
  ['odradek.memory.bytes', '536870912', 'maxBufferedBytes', 128 << 20],
  ['odradek.memory.bytes', '536870912', 'maxBrokerBytes', 48 << 20],
  ['odradek.memory.bytes', '536870912', 'maxAnswerBytes', 64 << 20],
  ['connections.max.idle.ms', '5000', 'maxIdleMs', 5000],
  ['socket.listen.backlog.size', '50', 'maxWaiting', 50],
  ['inter.broker.listener.name', 'PLAINTEXT', 'interBrokerListener', 'PLAINTEXT'],
  ['odradek.request.max.bytes', '5000', 'maxRequestBytes', 5000],
  ['odradek.request.max.elements', '5000', 'maxElements', 5000],
  ['odradek.connection.max.requests', '5', 'maxInFlightRequests', 5],
  ['odradek.connection.max.bytes', '5000', 'maxInFlightBytes', 5000],
  ['odradek.broker.max.requests', '5', 'maxBrokerRequests', 5],
  ['odradek.broker.max.bytes', '5000', 'maxBrokerBytes', 5000],
] as const)('%s=%s', (key, value, limit, expected) => {
  expect(serverLimits(parse({ flags: { [key]: value } }))[limit]).toBe(expected)
})

test('quota.window.num and quota.window.size.seconds', () => {
  const flags = { 'quota.window.num': 3, 'quota.window.size.seconds': 2 }
  expect(serverLimits(parse({ flags })).connectionRateWindow).toEqual({ samples: 3, windowMs: 2000 })
})
