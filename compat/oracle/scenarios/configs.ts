// DescribeConfigs: topics and the broker, with every value.
import type { AskOf } from '../../../protocol/api.ts'
import { scenario } from '../scenario.ts'
import { DescribeConfigs } from '../../../protocol/index.ts'

const TOPIC = 2
const BROKER = 4
const BROKER_LOGGER = 8

export const configScenarios = [
  scenario('configs/describe', DescribeConfigs, async (on, v) => {
    const topic = await on.topic('t', { configs: { 'retention.ms': '1234567', 'compression.type': 'gzip' } })
    const ask = (
      label: string,
      resourceType: number,
      resourceName: string,
      keys: string[] | null = null,
      o: Partial<AskOf<typeof DescribeConfigs>> = {},
    ) =>
      on.attempt(label, DescribeConfigs, v, {
        resources: [{ resourceType, resourceName, configurationKeys: keys }],
        ...(v >= 1 && { includeSynonyms: false }),
        ...(v >= 3 && { includeDocumentation: false }),
        ...o,
      })
    await ask('the topic', TOPIC, topic.name)
    await ask('two of its keys', TOPIC, topic.name, ['retention.ms', 'segment.bytes'])
    await ask('no keys', TOPIC, topic.name, [])
    await ask('an unknown key', TOPIC, topic.name, ['no.such.key'])
    await ask('a key twice', TOPIC, topic.name, ['retention.ms', 'retention.ms'])
    await ask('the broker', BROKER, '1')
    await ask('one of its keys', BROKER, '1', ['log.retention.ms'])
    await ask('the default of brokers', BROKER, '')
    await ask('another broker', BROKER, '2')
    await ask('a broker that is no number', BROKER, 'one')
    await ask('an unknown topic', TOPIC, on.name('nowhere'))
    await ask('an illegal topic', TOPIC, 'not legal!')
    await ask('an empty topic', TOPIC, '')
    await ask('type 0', 0, 'x')
    await ask('type 1', 1, 'x')
    await ask('type 3', 3, 'x')
    await ask('type 99', 99, 'x')
    await ask('the loggers of another broker', BROKER_LOGGER, '2')
    await on.attempt('no resources', DescribeConfigs, v, { resources: [] })
    const twice = [{ resourceType: TOPIC, resourceName: topic.name, configurationKeys: ['segment.ms'] }]
    await on.attempt('a resource twice', DescribeConfigs, v, { resources: [...twice, ...twice] })
    if (v < 1) return
    await ask('the topic with synonyms', TOPIC, topic.name, null, { includeSynonyms: true })
    await ask('the broker with synonyms', BROKER, '1', null, { includeSynonyms: true })
    if (v < 3) return
    await ask('the topic with texts', TOPIC, topic.name, ['retention.ms'], { includeDocumentation: true })
  }),

  scenario('configs/compacted topic', DescribeConfigs, async (on, v) => {
    const configs = {
      'cleanup.policy': 'compact,delete',
      'min.cleanable.dirty.ratio': '0.1',
      'delete.retention.ms': '60000',
      'max.compaction.lag.ms': '9000000',
      'min.compaction.lag.ms': '1000',
    }
    const topic = await on.topic('t', { configs })
    await on.attempt('the topic', DescribeConfigs, v, {
      resources: [{ resourceType: TOPIC, resourceName: topic.name, configurationKeys: Object.keys(configs) }],
      ...(v >= 1 && { includeSynonyms: true }),
      ...(v >= 3 && { includeDocumentation: false }),
    })
  }),
]
