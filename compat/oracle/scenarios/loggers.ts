// The levels of a broker's loggers. Their names are each side's own, but for the root.
import { scenario } from '../scenario.ts'
import { DescribeConfigs, IncrementalAlterConfigs } from '../../../protocol/index.ts'
import { APPEND, DELETE, edits, SET, SUBTRACT, type Edit } from './alter-configs.ts'

const BROKER_LOGGER = 8

export const loggerScenarios = [
  scenario(
    'loggers/levels',
    IncrementalAlterConfigs,
    async (on, v) => {
      const change = (label: string, list: readonly Edit[], validateOnly = false, name = '1') =>
        on.attempt(label, IncrementalAlterConfigs, v, { resources: [edits(BROKER_LOGGER, name, list)], validateOnly })
      const root = (label: string) =>
        on.ask(label, DescribeConfigs, 4, {
          resources: [{ resourceType: BROKER_LOGGER, resourceName: '1', configurationKeys: ['root'] }],
          includeSynonyms: true,
          includeDocumentation: false,
        })
      await change('set', [['root', SET, 'ERROR']])
      await root('as it was set')
      await change('only looked at', [['root', SET, 'FATAL']], true)
      await root('as it was')
      await change('a level there is not', [['root', SET, 'LOUD']])
      await change('a level in small letters', [['root', SET, 'info']])
      await change('no level', [['root', SET, null]])
      await change('a logger there is not', [['no.such.logger', SET, 'INFO']])
      await change('delete one there is not', [['no.such.logger', DELETE, null]])
      await change('delete the root', [['root', DELETE, null]])
      await change('append', [['root', APPEND, 'INFO']])
      await change('subtract', [['root', SUBTRACT, 'INFO']])
      await change('an operation there is not', [['root', 9, 'INFO']])
      await change('one twice', [
        ['root', SET, 'INFO'],
        ['root', SET, 'WARN'],
      ])
      await change('no broker', [['root', SET, 'INFO']], false, '')
      await change('another broker', [['root', SET, 'INFO']], false, '2')
      await change('a broker that is no number', [['root', SET, 'INFO']], false, 'one')
      await root('as it was still')
      await change('set back', [['root', SET, 'WARN']])
    },
    { alone: true },
  ),
]
