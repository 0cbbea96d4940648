// Every key of Kafka 4.4 is declared with Kafka's type, default, range and update mode.

import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { defaultOf, ourDefaults } from '../../../src/config/defaults.ts'
import type { Key, Keys } from '../../../src/config/key.ts'
import { brokerAreas, brokerKeys, clientMetricsKeys, groupKeys, namesOf, topicKeys } from '../../../src/config/keys.ts'
import { describeBroker, describeTopic } from '../../../src/config/describe.ts'
import { describeGroup } from '../../../src/config/groups.ts'
import { parse } from '../../../src/config/parse.ts'
import { formatValue, parseValue, range } from '../../../src/config/values.ts'

const facts = readFileSync(new URL('kafka-4.4-keys.tsv', import.meta.url), 'utf8')
  .split('\n')
  .filter(line => line !== '' && !line.startsWith('#'))
  .map(line => line.split('\t') as [string, string, string, string, string, string, string])

const sets: Record<string, Keys> = {
  broker: brokerKeys,
  topic: topicKeys,
  group: groupKeys,
  clientMetrics: clientMetricsKeys,
}

/** Kafka's text for a range or a set of values. */
function valid(key: Key<unknown>): string {
  if (key.min !== undefined) {
    const most = key.max === undefined ? '' : `,${key.max}`
    return `[${key.min},...${most}]${key.or === undefined ? '' : ` or ${key.or}`}`
  }
  if (key.values !== undefined) return `[${key.values.join(', ').toLowerCase()}]`
  return ''
}

describe('keys', () => {
  test.each(Object.entries(sets))(
    '%s: names, types, defaults, ranges, update modes are those of Kafka',
    (set, keys) => {
      const theirs = facts.filter(fact => fact[0] === set)
      const ours = Object.keys(keys).filter(name => !name.startsWith('odradek.') && keys[name]!.dynamicOnly !== true)
      expect(ours.toSorted()).toEqual(theirs.map(fact => fact[1]).toSorted())
      const differences = theirs.filter(([, name, type, value, range_, internal, update]) => {
        const key = keys[name]!
        const described =
          /^[^a-z]*\[\[?-?[\d.]+,|^(?:\(case insensitive\) )?\[[A-Za-z]/.test(range_) && key.pattern === undefined
        return (
          key.type !== type ||
          (value !== '<none>' && (formatValue(key, key.default) ?? '<null>') !== value) ||
          (value === '<none>') !== (key.kafkaRequires === true) ||
          (described && valid(key) !== range_.replace('(case insensitive) ', '').toLowerCase()) ||
          (internal === 'internal') !== (key.internal === true) ||
          (set === 'broker' && key.update !== update)
        )
      })
      expect(differences).toEqual([])
    },
  )

  test('each has one sentence of documentation', () => {
    const all = Object.values(sets).flatMap(keys => Object.entries(keys))
    expect(all.filter(([, key]) => !/^[A-Z`].*\.$/.test(key.doc))).toEqual([])
  })

  test('broker areas hold every broker key once', () => {
    const names = Object.values(brokerAreas).flatMap(keys => Object.keys(keys))
    expect(names.toSorted()).toEqual(Object.keys(brokerKeys).toSorted())
  })

  test('defaults are valid by their own rules', () => {
    const texts = namesOf(brokerKeys).flatMap((name): [typeof name, string][] => {
      const [key, text] = [brokerKeys[name] as Key<unknown>, formatValue(brokerKeys[name], defaultOf(name))]
      // Kafka's empty texts for what is not set are no values that could be written down.
      return text === null || (key.nonEmpty === true && text === '') ? [] : [[name, text]]
    })
    expect(texts.length).toBeGreaterThan(300)
    const read = texts.map(([name, text]) => [name, parseValue(name, brokerKeys[name], text)])
    expect(read).toEqual(texts.map(([name]) => [name, defaultOf(name)]))
  })

  test('secrets are the passwords', () => {
    expect(namesOf(brokerKeys).filter(name => brokerKeys[name].secret)).toContain('ssl.keystore.password')
    expect(brokerKeys['ssl.keystore.location'].secret).toBe(false)
  })

  test('ours differ from Kafka and say why', () => {
    const same = Object.entries(ourDefaults).filter(([name, { value, why }]) => {
      const key = (brokerKeys as Keys)[name]!
      const differs = key.kafkaRequires === true || formatValue(key, value) !== formatValue(key, key.default)
      return !differs || !why.endsWith('.')
    })
    expect(same).toEqual([])
    expect(defaultOf('group.initial.rebalance.delay.ms')).toBe(0)
    expect(defaultOf('log.retention.hours')).toBe(168)
  })
})

describe('effects', () => {
  /** Every source but the declarations. */
  const root = new URL('../../../src/', import.meta.url)
  const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts') && !/config[/\\](?:keys|defaults)/.test(path))
    .map(path => readFileSync(new URL(path.replaceAll('\\', '/'), root), 'utf8'))
    .join('\n')
  const read = (name: string): boolean => sources.includes(`'${name}'`)
  /** Nothing reads them, because with one broker there is nothing to decide. */
  const vacuous = [
    'unclean.leader.election.enable',
    'leader.replication.throttled.replicas',
    'follower.replication.throttled.replicas',
    'leader.replication.throttled.rate',
    'follower.replication.throttled.rate',
  ]
  /** Read only to refuse what is not served. */
  const refused = ['config.providers', 'security.inter.broker.protocol']
  /** Read only to bound settings of groups, which have no effect themselves. */
  const bounding = [
    'group.streams.assignors',
    'group.streams.max.standby.replicas',
    'group.streams.max.warmup.replicas',
  ]

  test('a topic key that works is read by the code', () => {
    const working = namesOf(topicKeys).filter(name => topicKeys[name].effect === 'works')
    expect(working.filter(name => !read(name) && !vacuous.includes(name))).toEqual([])
  })

  test('a key that works is named by a test, which shows its effect', () => {
    const folder = new URL('../../', import.meta.url)
    const tests = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(path => path.endsWith('.test.ts') && !path.endsWith('keys.test.ts'))
      .map(path => readFileSync(new URL(path.replaceAll('\\', '/'), folder), 'utf8'))
      .join('\n')
    const named = new Set([...tests.matchAll(/(?<![\w.])([a-z][\w.]*)['=:]/g)].map(([, name]) => name!))
    const working = [...Object.entries<Key<unknown>>(brokerKeys), ...Object.entries<Key<unknown>>(topicKeys)].filter(
      ([, { effect }]) => effect === 'works',
    )
    expect(working.map(([name]) => name).filter(name => !named.has(name) && !vacuous.includes(name))).toEqual([])
  })

  test('a broker key works if and only if the code reads it, itself or as the default of a topic key', () => {
    const topics = Object.values<Key<unknown>>(topicKeys).filter(({ effect }) => effect === 'works')
    const synonyms = new Set(topics.flatMap(key => (key.broker ?? []).map(synonym => synonym.key)))
    const wrong = namesOf(brokerKeys).filter(name => {
      const used =
        (read(name) || synonyms.has(name) || vacuous.includes(name)) &&
        !refused.includes(name) &&
        !bounding.includes(name)
      return used !== (brokerKeys[name].effect === 'works')
    })
    expect(wrong).toEqual([])
  })
})

describe('a key without effect', () => {
  const idle = Object.entries<Key<unknown>>(brokerKeys).filter(([, { effect }]) => effect === 'none')
  /** A value that the key takes and that is not its default. */
  function another(name: string, key: Key<unknown>): string | undefined {
    const number = typeof key.default === 'number' ? key.default : 0
    const texts = [
      ...(key.values ?? []),
      String(key.default !== true),
      `${number + 1}`,
      `${number - 1}`,
      `${number / 2}`,
    ]
    return [...texts, 'something', 'SSL', '/somewhere'].find(text => {
      try {
        const value = formatValue(key, parseValue(name, key, text))
        return ![key.default, defaultOf(name as keyof typeof brokerKeys)].some(
          other => formatValue(key, other) === value,
        )
      } catch {
        return false
      }
    })
  }
  const warningsOf = (name: string, text: string): readonly string[] => {
    try {
      return parse({ flags: { [name]: text } }).warnings
    } catch (error) {
      // Refused with a sentence that names it: not ignored either.
      return [(error as Error).message]
    }
  }

  test('says so in one warning when it is set to anything but its default, and only then', () => {
    const tried = idle.filter(([, { dynamicOnly }]) => dynamicOnly !== true)
    expect(tried.length).toBeGreaterThan(150)
    // What every server.properties of a combined node sets.
    const quorum = ([name]: (typeof idle)[number]): boolean => name.startsWith('controller.quorum.')
    const silent = tried.filter(entry => {
      const [name, key] = entry
      const text = another(name, key)
      const warnings = text === undefined ? [] : warningsOf(name, text)
      const isTold = warnings.length === 1 && warnings[0]!.includes(name)
      return isTold === quorum(entry)
    })
    expect(silent.map(([name]) => name)).toEqual([])
    const loud = tried.filter(([name, key]) => {
      const text = formatValue(key, defaultOf(name as keyof typeof brokerKeys))
      return text !== null && text !== '' && warningsOf(name, text).length > 0
    })
    expect(loud.map(([name]) => name)).toEqual([])
  })

  test('says so in its documentation', () => {
    const described = [
      ...describeBroker(parse(), { names: null, includeSynonyms: false, includeDocumentation: true }),
      ...describeTopic(parse(), new Map(), { names: null, includeSynonyms: false, includeDocumentation: true }),
      ...describeGroup(parse(), new Map(), { names: null, includeSynonyms: false, includeDocumentation: true }),
    ]
    const keys: Keys = { ...brokerKeys, ...topicKeys, ...groupKeys }
    expect(described.length).toBeGreaterThan(300)
    const wrong = described.filter(
      ({ name, documentation }) =>
        documentation?.includes('no effect in this version') !== (keys[name]!.effect === 'none'),
    )
    expect(wrong.map(({ name }) => name)).toEqual([])
  })
})

describe('values', () => {
  const fails = (name: keyof typeof brokerKeys, text: string) => () => parseValue(name, brokerKeys[name], text)

  test('are read with white space around them and in any case where Kafka does', () => {
    expect(parseValue('x', brokerKeys['num.partitions'], ' +3 ')).toBe(3)
    expect(parseValue('x', brokerKeys['delete.topic.enable'], 'TRUE')).toBe(true)
    expect(parseValue('x', brokerKeys['log.dirs'], '/a , /b')).toEqual(['/a', '/b'])
    expect(parseValue('x', brokerKeys['compression.gzip.level'], '-1')).toBe(-1)
    expect(parseValue('x', brokerKeys['group.consumer.migration.policy'], 'DISABLED')).toBe('DISABLED')
  })

  test('that cannot be are refused with the key, the rule and the text', () => {
    expect(fails('num.partitions', '0')).toThrow("num.partitions must be at least 1, but it is '0'.")
    expect(fails('num.partitions', '1e3')).toThrow("num.partitions must be a 32-bit whole number, but it is '1e3'.")
    expect(fails('num.partitions', '2147483648')).toThrow('32-bit')
    expect(fails('log.retention.bytes', '9223372036854775808')).toThrow('64-bit')
    expect(fails('delete.topic.enable', 'yes')).toThrow("must be true or false, but it is 'yes'")
    expect(fails('compression.type', 'brotli')).toThrow('must be one of uncompressed, zstd')
    expect(fails('compression.gzip.level', '0')).toThrow('between 1 and 9 or -1')
    expect(fails('log.dirs', '/a,,/b')).toThrow('without empty entries')
    expect(fails('log.dirs', '/a,/a')).toThrow('without repeated entries')
  })

  test('of secret keys are never in the message', () => {
    const key = { ...brokerKeys['ssl.key.password'], pattern: { matches: /^$/, describe: 'nothing' } }
    expect(() => parseValue('ssl.key.password', key, 'hunter2')).toThrow(/^ssl\.key\.password must be nothing\.$/)
  })

  test('are printed as Kafka prints them', () => {
    const show = (name: keyof typeof brokerKeys, value: unknown) => formatValue(brokerKeys[name], value)
    expect(show('log.flush.interval.messages', 2 ** 63)).toBe('9223372036854775807')
    expect(show('log.cleaner.io.max.bytes.per.second', Number.MAX_VALUE)).toBe('1.7976931348623157E308')
    expect(show('log.cleaner.io.max.bytes.per.second', 10_000_000)).toBe('1.0E7')
    expect(show('log.cleaner.min.cleanable.ratio', 1)).toBe('1.0')
    expect(show('log.cleaner.min.cleanable.ratio', 0.0005)).toBe('5.0E-4')
    expect(show('log.dirs', ['/a', '/b'])).toBe('/a,/b')
    expect(show('log.dirs', null)).toBe(null)
    expect(range(brokerKeys['fetch.max.bytes'])).toBe('at least 1024')
  })
})
