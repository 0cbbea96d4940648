// The levels of loggers as admin tools tell and change them.
import { expect, test } from 'vitest'
import { INVALID_CONFIG, INVALID_REQUEST, NONE } from '../../../protocol/errors.ts'
import { DescribeConfigs, IncrementalAlterConfigs, ListConfigResources } from '../../../protocol/messages/index.ts'
import { memoryFiles } from '../../../storage/files-memory.ts'
import { testBroker, type TestBroker } from '../broker/harness.ts'

const LOGGERS = 8
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3] as const

type Edit = readonly [name: string, configOperation: number, value: string | null]

async function alter(broker: TestBroker, edits: readonly Edit[], more: { name?: string; validateOnly?: boolean } = {}) {
  const { name: resourceName = '1', validateOnly = false } = more
  const configs = edits.map(([name, configOperation, value]) => ({ name, configOperation, value }))
  const resources = [{ resourceType: LOGGERS, resourceName, configs }]
  const reply = await broker.ask(IncrementalAlterConfigs, { resources, validateOnly })
  return reply!.responses[0]!.errorCode
}

async function describe(broker: TestBroker, resourceName = '1', configurationKeys: string[] | null = null) {
  const resources = [{ resourceType: LOGGERS, resourceName, configurationKeys }]
  const reply = await broker.ask(DescribeConfigs, { resources, includeSynonyms: true, includeDocumentation: true })
  const { errorCode, configs } = reply!.results[0]!
  return { errorCode, levels: Object.fromEntries(configs.map(({ name, value }) => [name, value])), configs }
}

test('are described, changed at once, and go back', async () => {
  const broker = await testBroker({ files: memoryFiles() })
  const { levels, configs } = await describe(broker)
  const names = ['root', 'odradek', 'odradek.coordinators', 'odradek.cleaner']
  expect(Object.keys(levels).toSorted()).toEqual(names.toSorted())
  expect(new Set(Object.values(levels))).toEqual(new Set(['DEBUG']))
  expect(configs[0]).toMatchObject({ configSource: 6, readOnly: false, isSensitive: false, synonyms: [] })

  expect(
    await alter(broker, [
      ['odradek', SET, 'FATAL'],
      ['odradek.cleaner', SET, 'TRACE'],
    ]),
  ).toBe(NONE)
  expect((await describe(broker)).levels).toEqual({
    root: 'DEBUG',
    odradek: 'FATAL',
    'odradek.coordinators': 'FATAL',
    'odradek.cleaner': 'TRACE',
  })
  const before = broker.runtime.lines.length
  broker.opened.broker.runtime.log.error('unheard')
  expect(broker.runtime.lines).toHaveLength(before)
  expect(await alter(broker, [['odradek', DELETE, null]])).toBe(NONE)
  expect((await describe(broker, '1', ['odradek', 'nothing'])).levels).toEqual({ odradek: 'DEBUG' })
  broker.opened.broker.runtime.log.error('heard')
  expect(broker.runtime.lines).toHaveLength(before + 1)
})

test.each<[string, readonly Edit[], number]>([
  ['a logger there is not', [['nothing', SET, 'INFO']], INVALID_CONFIG],
  ['a logger there is not, to be deleted', [['nothing', DELETE, null]], INVALID_CONFIG],
  ['a level there is not', [['root', SET, 'LOUD']], INVALID_CONFIG],
  ['a level in other letters', [['root', SET, 'info']], INVALID_CONFIG],
  ['no level', [['root', SET, null]], INVALID_REQUEST],
  ['the level of root deleted', [['root', DELETE, null]], INVALID_REQUEST],
  ['an append', [['root', APPEND, 'INFO']], INVALID_REQUEST],
  ['a subtraction', [['root', SUBTRACT, 'INFO']], INVALID_REQUEST],
  ['an operation there is not', [['root', 9, 'INFO']], INVALID_REQUEST],
  [
    'a good one and a bad one',
    [
      ['odradek', SET, 'INFO'],
      ['root', SET, 'LOUD'],
    ],
    INVALID_CONFIG,
  ],
])('refused: %s', async (_, edits, errorCode) => {
  const broker = await testBroker({ files: memoryFiles() })
  const before = (await describe(broker)).levels
  expect(await alter(broker, edits)).toBe(errorCode)
  expect((await describe(broker)).levels).toEqual(before)
})

test('only this broker has some, a trial changes nothing, and they are listed', async () => {
  const broker = await testBroker({ files: memoryFiles() })
  const edit: Edit = ['root', SET, 'ERROR']
  for (const name of ['', '2', 'one']) {
    expect(await alter(broker, [edit], { name })).toBe(INVALID_REQUEST)
    expect((await describe(broker, name)).errorCode).toBe(INVALID_REQUEST)
  }
  expect(await alter(broker, [edit], { validateOnly: true })).toBe(NONE)
  expect((await describe(broker)).levels['root']).toBe('DEBUG')
  const listed = await broker.ask(ListConfigResources, { resourceTypes: [LOGGERS] })
  expect(listed!.configResources).toEqual([{ resourceName: '1', resourceType: LOGGERS }])
})
