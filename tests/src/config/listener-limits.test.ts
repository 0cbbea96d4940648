// Limits on connections of single listeners, from the start and while the broker runs.
import { describe, expect, test } from 'vitest'
import { applyDynamic, dynamicFault, liveConfig } from '../../../src/config/dynamic.ts'
import { describeBroker } from '../../../src/config/describe.ts'
import { parse } from '../../../src/config/parse.ts'

const rate = 'listener.name.inside.max.connection.creation.rate'
const most = 'listener.name.inside.max.connections'
const options = { names: [most], includeSynonyms: true, includeDocumentation: false }

describe('limits of a listener', () => {
  test('are read from the file, the environment and flags, each by its name in small letters', () => {
    const config = parse({
      file: { path: 'server.properties', text: `${rate}=1\n${most}=2\nlistener.name.other.max.connections=3` },
      environment: { KAFKA_LISTENER_NAME_INSIDE_MAX_CONNECTIONS: '4' },
      flags: { [rate]: 5 },
    })
    expect(config.warnings).toEqual([])
    expect([...config.listenerLimits]).toEqual([
      ['INSIDE', { maxConnectionRate: 5, maxConnections: 4 }],
      ['OTHER', { maxConnections: 3 }],
    ])
  })

  test('that cannot be are refused', () => {
    expect(() => parse({ flags: { [most]: '0' } })).toThrow(`${most} must be at least 1, but it is '0'.`)
    expect(() => parse({ flags: { [most]: 'many' } })).toThrow(`${most} must be a 32-bit whole number`)
    const config = parse()
    const fault = (name: string, value: string) =>
      dynamicFault(config, 'cluster', [{ name, value }], new Map([[name, value]]))
    expect(fault(most, '0')).toContain('at least 1')
    expect(fault('max.connections', '0')).toContain('at least 1')
    expect(fault('max.connection.creation.rate', '0')).toContain('at least 1')
    expect(fault(most, '7')).toBe(undefined)
    expect(fault('listener.name.inside.num.network.threads', '7')).toContain('no broker configuration')
  })

  test('change while the broker runs: its own come first, then those of all, then those of the start', () => {
    const config = liveConfig(parse({ flags: { [most]: 1 } }))
    const now = (): number | undefined => config.listenerLimits.get('INSIDE')?.maxConnections
    applyDynamic(config, { broker: new Map(), cluster: new Map([[most, '2']]) })
    expect(now()).toBe(2)
    applyDynamic(config, { broker: new Map([[most, '3']]), cluster: new Map([[most, '2']]) })
    expect(now()).toBe(3)
    const [entry] = describeBroker(config, options)
    expect(entry).toMatchObject({ name: most, value: '3', configSource: 2 })
    expect(entry!.synonyms.map(({ name, value }) => [name, value])).toEqual([
      [most, '3'],
      [most, '2'],
      [most, '1'],
      ['max.connections', '2147483647'],
    ])
    // What another broker may have left there is as if it were not.
    applyDynamic(config, { broker: new Map([[most, 'many']]), cluster: new Map() })
    expect(now()).toBe(1)
  })
})
