// Listeners of files for KRaft nodes, of --listen and --advertise, and what is refused.

import { describe, expect, test } from 'vitest'
import { ConfigError, parse } from '../../../src/config/index.ts'

const at = (text: string, more: object = {}) => parse({ file: { path: 'f', text }, ...more })
const combined = `process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093,INTERNAL://[::1]:9094
inter.broker.listener.name=INTERNAL
advertised.listeners=PLAINTEXT://kafka.example:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:SSL,PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT
log.dirs=/tmp/kraft-combined-logs`

test('a combined node opens its broker listeners and leaves the controller to itself', () => {
  const config = at(combined)
  expect(config.endpoints).toEqual([
    {
      name: 'PLAINTEXT',
      protocol: 'PLAINTEXT',
      host: '',
      port: 9092,
      advertised: { host: 'kafka.example', port: 9092 },
    },
    { name: 'INTERNAL', protocol: 'PLAINTEXT', host: '::1', port: 9094, advertised: null },
  ])
  expect(config.interBrokerListener).toBe('INTERNAL')
  expect(config.warnings).toEqual([])
})

test('--listen replaces the listeners of the file, and what the file says about others', () => {
  const config = at(combined, { listen: ['localhost:0', ':7000'], advertise: ['outside:1'] })
  expect(config.endpoints).toEqual([
    { name: 'PLAINTEXT', protocol: 'PLAINTEXT', host: 'localhost', port: 0, advertised: { host: 'outside', port: 1 } },
    { name: 'PLAINTEXT_2', protocol: 'PLAINTEXT', host: '', port: 7000, advertised: null },
  ])
  expect(config.interBrokerListener).toBe('PLAINTEXT')
})

test('every interface may be written as 0.0.0.0 or ::', () => {
  const hosts = at(
    'listeners=PLAINTEXT://0.0.0.0:1,B://[::]:2\nlistener.security.protocol.map=PLAINTEXT:PLAINTEXT,B:PLAINTEXT',
  )
  expect(hosts.endpoints.map(({ host }) => host)).toEqual(['', ''])
})

test('one port serves an IPv4 and an IPv6 address', () => {
  const text =
    'listeners=PLAINTEXT://127.0.0.1:1,B://[::1]:1\nlistener.security.protocol.map=PLAINTEXT:PLAINTEXT,B:PLAINTEXT'
  expect(at(text).endpoints).toHaveLength(2)
})

describe('refused, naming the key', () => {
  test.each([
    ['listeners=SSL://:9092', /^listeners has SSL with the protocol SSL, which .* not serve yet; /],
    ['listeners=X://:9092\nlistener.security.protocol.map=X:SASL_PLAINTEXT', /X with the protocol SASL_PLAINTEXT/],
    ['listeners=X://:9092', /^listener\.security\.protocol\.map has no entry for the listener X; add X:PLAINTEXT\.$/],
    ['listener.security.protocol.map=PLAINTEXT:TLS', /^listener\.security\.protocol\.map must be/],
    ['listeners=PLAINTEXT:9092', /^listeners must be NAME:\/\/host:port entries, but one is 'PLAINTEXT:9092'\.$/],
    ['listeners=PLAINTEXT://:99999', /^listeners must be/],
    ['listeners=PLAINTEXT://:1,plaintext://:2', /two listeners named PLAINTEXT/],
    ['listeners=PLAINTEXT://:1,B://:1', /port 1 more than once/],
    ['controller.listener.names=PLAINTEXT', /^listeners has no listener for clients/],
    ['advertised.listeners=OTHER://h:1', /^advertised\.listeners names OTHER/],
    ['advertised.listeners=PLAINTEXT://0.0.0.0:9092', /^advertised\.listeners must name a host/],
    ['advertised.listeners=PLAINTEXT://:9999', /^advertised\.listeners needs a host/],
    ['inter.broker.listener.name=OTHER', /^inter\.broker\.listener\.name is OTHER/],
    ['inter.broker.listener.name=PLAINTEXT\nsecurity.inter.broker.protocol=PLAINTEXT', /only one of/],
  ])('%s', (text, message) => {
    expect(() => at(text)).toThrow(ConfigError)
    expect(() => at(text)).toThrow(message)
  })

  test.each([
    [{ listen: ['9092'] }, "--listen must be host:port, but it is '9092'."],
    [{ advertise: [':1'] }, '--advertise must name a host'],
    [{ advertise: ['a:1', 'b:2'] }, '--advertise was given more often'],
    [{ listen: ['a:1'], flags: { listeners: 'PLAINTEXT://:1' } }, 'Give either --listen'],
  ])('%j', (sources, message) => expect(() => parse(sources)).toThrow(message))
})
