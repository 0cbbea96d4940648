// What librdkafka turns on after ApiVersions, and what metadata looks like to it.
import { deepEqual, equal, ok } from 'node:assert/strict'
import type { Suite } from '../harness/index.ts'
import { kcat, topic } from './kcat.ts'

const on = [
  'ApiVersion',
  'MsgVer2',
  'BrokerBalancedConsumer',
  'BrokerGroupCoordinator',
  'LZ4',
  'OffsetTime',
  'IdempotentProducer',
  'ZSTD',
]

export function featureScenarios(suite: Suite): void {
  suite.scenario('the features that this broker serves are on', async context => {
    const name = await topic(context, 'features')
    const { stderr } = await kcat(context, ['-P', '-t', name, '-d', 'feature,msg,protocol'], 'x\n')
    const named = (what: string) =>
      [...stderr.matchAll(new RegExp(`${what} feature (\\w+)`, 'g'))].map(match => match[1]!)
    const [enabled, disabled] = [named('Enabling'), named('Disabling')]
    for (const feature of on) ok(enabled.includes(feature), `${feature} is off: ${enabled.join()} are on`)
    deepEqual(disabled, ['SaslHandshake', 'SaslAuthReq'])
    ok(/MsgVersion 2/.test(stderr), stderr)
  })

  suite.scenario('-L names the broker, the controller and every partition', async context => {
    const name = await topic(context, 'listed')
    const { stdout } = await kcat(context, ['-L', '-J'])
    const metadata = JSON.parse(stdout) as {
      controllerid: number
      brokers: { id: number; name: string }[]
      topics: { topic: string; partitions: { partition: number; leader: number; isrs: unknown[] }[] }[]
    }
    equal(metadata.brokers.length, 1)
    equal(metadata.brokers[0]?.name, context.broker.bootstrap)
    equal(metadata.controllerid, metadata.brokers[0]?.id)
    const found = metadata.topics.find(entry => entry.topic === name)
    deepEqual(
      found?.partitions.map(({ partition, leader }) => [partition, leader]),
      [[0, metadata.brokers[0]?.id]],
    )
  })
}
