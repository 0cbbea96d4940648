// Sources, precedence, warnings and refusals of the broker's configuration.

import { describe, expect, test } from 'vitest'
import { keyOfVariable } from '../../../src/config/environment.ts'
import { nearest } from '../../../src/config/nearest.ts'
import type { Sources } from '../../../src/config/index.ts'
import { ConfigError, parse } from '../../../src/config/index.ts'

const file = (text: string): Sources => ({ file: { path: 'server.properties', text } })

/** The message of the ConfigError that parsing ends with. */
function refusal(sources: Sources): string {
  try {
    parse(sources)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  throw new Error('it was accepted')
}

describe('precedence', () => {
  test('flag, environment, file, default', () => {
    const text = 'num.partitions=2\nlog.retention.hours=3\nnum.io.threads=8\nmessage.max.bytes=5'
    const environment = { KAFKA_NUM_PARTITIONS: '4', KAFKA_LOG_RETENTION_HOURS: '5', PATH: '/bin' }
    const config = parse({ ...file(text), environment, flags: { 'num.partitions': 6 } })
    expect(config['num.partitions']).toBe(6)
    expect(config['log.retention.hours']).toBe(5)
    expect(config['message.max.bytes']).toBe(5)
    expect(config['log.segment.bytes']).toBe(1_073_741_824)
    expect([...config.explicit].toSorted()).toEqual([
      'log.retention.hours',
      'message.max.bytes',
      'num.io.threads',
      'num.partitions',
    ])
    expect(config.warnings).toEqual([])
  })

  test('the last of two lines with one key counts', () => {
    expect(parse(file('num.partitions=2\nnum.partitions=3'))['num.partitions']).toBe(3)
  })

  test('nothing at all gives a broker on localhost:9092', () => {
    const config = parse()
    expect(config.endpoints).toEqual([
      { name: 'PLAINTEXT', protocol: 'PLAINTEXT', host: 'localhost', port: 9092, advertised: null },
    ])
    expect(config.logDirs).toEqual(['./odradek-data'])
    expect([config['node.id'], config['broker.id']]).toEqual([1, 1])
  })
})

describe('environment', () => {
  test.each([
    ['KAFKA_LOG_RETENTION_MS', 'log.retention.ms'],
    ['KAFKA_LISTENER_NAME_MY__LISTENER_X', 'listener.name.my_listener.x'],
    ['KAFKA_A___B', 'a-b'],
    ['KAFKA_A____B', 'a-.b'],
  ])('%s is %s', (variable, key) => expect(keyOfVariable(variable)).toBe(key))

  test("the image's own settings are no keys", () => {
    const environment = { KAFKA_HEAP_OPTS: '-Xmx1g', KAFKA_OPTS: '-Dx', KAFKA_JMX_PORT: '9', KAFKA_LOG4J_LOGGERS: 'x' }
    expect(parse({ environment }).warnings).toEqual([])
  })

  test('addresses to advertise alone open every interface, as in the image', () => {
    const environment = { KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://broker:29092' }
    expect(parse({ environment }).endpoints).toEqual([
      {
        name: 'PLAINTEXT',
        protocol: 'PLAINTEXT',
        host: '',
        port: 29_092,
        advertised: { host: 'broker', port: 29_092 },
      },
    ])
    expect(parse({ environment, listen: ['localhost:1'] }).endpoints[0]).toMatchObject({ host: 'localhost', port: 1 })
  })
})

describe('warnings and refusals', () => {
  test('an unknown key in file or environment: one warning each', () => {
    const { warnings } = parse({ ...file('#\nnum.partition=2\nx.y=1'), environment: { KAFKA_HOME: '/opt' } })
    expect(warnings).toEqual([
      'server.properties:2: the key num.partition is unknown and has no effect. Did you mean num.partitions?',
      'server.properties:3: the key x.y is unknown and has no effect.',
      'KAFKA_HOME: the key home is unknown and has no effect.',
    ])
  })

  test('an unknown key in a flag is refused', () => {
    expect(refusal({ flags: { 'log.retention.mss': '1' } })).toBe(
      '--set log.retention.mss: there is no such key. Did you mean log.retention.ms?',
    )
    expect(refusal({ flags: { constructor: '1' } })).toContain('docs/config.md lists every key')
    expect(refusal({ flags: { 'leader.replication.throttled.rate': '1' } })).toContain('AlterConfigs')
  })

  test('a bad value is refused anywhere, with the place', () => {
    const rule = "num.partitions must be a 32-bit whole number, but it is 'many'."
    expect(refusal(file('\nnum.partitions=many'))).toBe(`server.properties:2: ${rule}`)
    expect(refusal({ environment: { KAFKA_NUM_PARTITIONS: 'many' } })).toBe(`KAFKA_NUM_PARTITIONS: ${rule}`)
    expect(refusal({ flags: { 'num.partitions': 'many' } })).toBe(rule)
  })

  test('keys without effect are named once, unless they stand at their default', () => {
    const text =
      'num.io.threads=8\nnum.network.threads=5\nreplica.fetch.max.bytes=9\ncontroller.quorum.voters=1@localhost:9093'
    expect(parse(file(text)).warnings).toEqual([
      'These keys have no effect in this version of Odradek: num.network.threads, replica.fetch.max.bytes.',
    ])
    expect(parse(file('transaction.state.log.replication.factor=1')).warnings).toEqual([])
  })

  test.each([
    ['authorizer.class.name=org.X', 'authorizer.class.name'],
    ['process.roles=controller', 'process.roles'],
    ['config.providers=env', 'config.providers'],
    ['log.cleanup.policy=compacted', 'log.cleanup.policy'],
    ['remote.log.storage.system.enable=true', 'remote.log.storage.system.enable'],
    ['security.inter.broker.protocol=SASL_SSL', 'security.inter.broker.protocol'],
    ['node.id=1\nbroker.id=2', 'node.id'],
    ['broker.id=-1', 'broker.id'],
    ['log.retention.ms=0', 'log.retention.ms'],
    ['log.retention.minutes=0', 'log.retention.minutes'],
    ['log.roll.ms=0', 'log.roll.ms'],
    ['log.roll.jitter.ms=-1', 'log.roll.jitter.ms'],
    ['group.min.session.timeout.ms=9000000', 'group.min.session.timeout.ms'],
    ['log.dirs=', 'log.dirs'],
    ['max.connections.per.ip.overrides=host', 'max.connections.per.ip.overrides'],
  ])('%s is refused, naming the key', (text, key) => {
    const message = refusal(file(text))
    expect(message).toContain(key)
    expect(message).toMatch(/\.$/)
  })

  test('settings of single listeners and plug-ins pass', () => {
    expect(parse(file('listener.name.internal.max.connections=5\nrsm.config.x=1')).warnings).toEqual([])
  })
})

test('broker.id stands for node.id', () => {
  expect(parse(file('broker.id=7'))).toMatchObject({ 'node.id': 7, 'broker.id': 7 })
  expect(parse(file('node.id=8'))).toMatchObject({ 'node.id': 8, 'broker.id': 8 })
})

test('limits of connections by address', () => {
  const { connectionsPerIp } = parse(file('max.connections.per.ip.overrides=127.0.0.1:5,[::1]:6, localhost:7'))
  expect(Object.fromEntries(connectionsPerIp)).toEqual({ '127.0.0.1': 7, '::1': 7 })
})

describe('--data-dir', () => {
  test('wins over the file', () => {
    expect(parse({ ...file('log.dirs=/a,/b'), dataDir: '/c' }).logDirs).toEqual(['/c'])
    expect(parse(file('log.dir=/a')).logDirs).toEqual(['/a'])
  })

  test('does not guess', () => {
    expect(refusal({ dataDir: '/a,b' })).toContain('comma')
    expect(refusal({ dataDir: ' ' })).toContain('--data-dir')
    expect(refusal({ dataDir: '/a', flags: { 'log.dirs': '/b' } })).toContain('either')
  })
})

test('the nearest name is offered for slips only', () => {
  expect(nearest('log.dris', ['log.dirs', 'log.dir'])).toBe('log.dirs')
  expect(nearest('abc', ['log.dirs'])).toBeUndefined()
})
