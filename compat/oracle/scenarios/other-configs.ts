// Settings of groups and of client metrics subscriptions, which exist by name alone.
import type { Case } from '../scenario.ts'
import { AlterConfigs, IncrementalAlterConfigs, ListConfigResources } from '../../../protocol/index.ts'
import { scenario } from '../scenario.ts'
import {
  APPEND,
  CLIENT_METRICS,
  DELETE,
  described,
  edits,
  GROUP,
  SET,
  settings,
  SUBTRACT,
  type Edit,
  type Setting,
} from './alter-configs.ts'

const SESSION = 'consumer.session.timeout.ms'
const HEARTBEAT = 'consumer.heartbeat.interval.ms'

/** Nothing of this is kept: other cases list what there is. */
const lookedAt = scenario('alter configs/groups and client metrics', IncrementalAlterConfigs, async (on, v) => {
  const look = (label: string, type: number, name: string, list: readonly Edit[]) =>
    on.attempt(label, IncrementalAlterConfigs, v, { resources: [edits(type, name, list)], validateOnly: true })
  const group = (label: string, ...list: Edit[]) => look(label, GROUP, on.name('g'), list)
  await group('the default of a group', [SESSION, SET, '45000'])
  await group('another value', [SESSION, SET, '46000'])
  await group('an unknown key of a group', ['no.such.key', SET, '1'])
  await group('a good and an unknown key', [SESSION, SET, '46000'], ['no.such.key', SET, '1'])
  await group('no number', [SESSION, SET, 'long'])
  await group('empty', [SESSION, SET, ''])
  await group('zero', [SESSION, SET, '0'])
  await group('append to a number', [SESSION, APPEND, '1'])
  await group('null', [SESSION, SET, null])
  await group('delete', [SESSION, DELETE, null])
  await group('below the minimum of the broker', [SESSION, SET, '44999'])
  await group('above the maximum of the broker', [SESSION, SET, '60001'])
  await group('a heartbeat that is too short', [HEARTBEAT, SET, '4999'])
  await group('a heartbeat that is too long', [HEARTBEAT, SET, '15001'])
  await group('a heartbeat', [HEARTBEAT, SET, '15000'])
  await group('share groups', ['share.session.timeout.ms', SET, '46000'], ['share.delivery.count.limit', SET, '7'])
  await group('a count that is too high', ['share.delivery.count.limit', SET, '11'])
  await group('a count that is too low', ['share.delivery.count.limit', SET, '1'])
  await group('locks too short', ['share.record.lock.duration.ms', SET, '14999'])
  await group('where to begin', ['share.auto.offset.reset', SET, 'earliest'])
  await group('where to begin, by duration', ['share.auto.offset.reset', SET, 'by_duration:PT1H'])
  await group('where to begin, nowhere', ['share.auto.offset.reset', SET, 'somewhere'])
  await group('an isolation level', ['share.isolation.level', SET, 'read_committed'])
  await group('an isolation level that is not', ['share.isolation.level', SET, 'READ_ALL'])
  await group('streams groups', ['streams.num.standby.replicas', SET, '1'])
  await group('too many standbys', ['streams.num.standby.replicas', SET, '9'])
  await group('a negative number', ['streams.num.standby.replicas', SET, '-1'])
  await look('the empty group', GROUP, '', [[SESSION, SET, '45000']])
  await look('an odd name', GROUP, 'not legal!', [[SESSION, SET, '46000']])

  const metrics = (label: string, ...list: Edit[]) => look(label, CLIENT_METRICS, on.name('m'), list)
  await metrics('the default of client metrics', ['interval.ms', SET, '300000'])
  await metrics('another interval', ['interval.ms', SET, '60000'])
  await metrics('an unknown key of client metrics', ['no.such.key', SET, '1'])
  await metrics('no interval', ['interval.ms', SET, 'often'])
  await metrics('an interval that is too short', ['interval.ms', SET, '99'])
  await metrics('an interval that is too long', ['interval.ms', SET, '3600001'])
  await metrics('the longest', ['interval.ms', SET, '3600000'])
  await metrics('no interval and an unknown match', ['interval.ms', SET, '1'], ['match', SET, 'colour=red'])
  await metrics('an unknown match', ['match', APPEND, 'colour=red'])
  for (const match of [
    'client_id',
    'client_id=',
    '=x',
    'client_id=a=b',
    'client_id=a=',
    'client_id=[',
    'client_id=a,client_id=b',
    ' client_id = a , client_source_port = 9.* ',
    'client_id=a,,client_source_port=1',
    ',',
    '',
  ])
    // oxlint-disable-next-line no-await-in-loop -- in order
    await metrics(`match ${JSON.stringify(match)}`, ['match', SET, match])
  for (const list of ['', '*', 'a,b', 'a,a', 'a,', '*,a', 'org apache'])
    // oxlint-disable-next-line no-await-in-loop -- in order
    await metrics(`metrics ${JSON.stringify(list)}`, ['metrics', SET, list])
  await look('the empty client metrics', CLIENT_METRICS, '', [['interval.ms', SET, '300000']])
})

const listed = (on: Case, label: string, resourceType: number) =>
  on.attempt(label, ListConfigResources, 1, { resourceTypes: [resourceType] }, undefined, answer => ({
    ...answer,
    configResources: answer.configResources.filter(({ resourceName }) => resourceName.startsWith(on.name(''))),
  }))

const kept = scenario(
  'alter configs/groups and client metrics, kept',
  IncrementalAlterConfigs,
  async (on, v) => {
    const change = (label: string, type: number, hint: string, ...list: Edit[]) =>
      on.attempt(label, IncrementalAlterConfigs, v, {
        resources: [edits(type, on.name(hint), list)],
        validateOnly: false,
      })
    const group = [GROUP, on.name('g')] as const
    await change('a group', GROUP, 'g', [SESSION, SET, '46000'], ['share.auto.offset.reset', SET, 'earliest'])
    await described(on, 'its settings', group, { [SESSION]: '46000', 'share.auto.offset.reset': 'earliest' })
    await described(on, 'another key of it', group, { [HEARTBEAT]: '5000' })
    await listed(on, 'a group is listed', GROUP)
    await change('a session that is too short for its heartbeats', GROUP, 'g', [SESSION, SET, '1'])
    await change('one of them again', GROUP, 'g', [SESSION, DELETE, null])
    await described(on, 'the other is left', group, { [SESSION]: '45000', 'share.auto.offset.reset': 'earliest' })
    await change('the other', GROUP, 'g', ['share.auto.offset.reset', DELETE, null])
    await described(on, 'none is left', group, { 'share.auto.offset.reset': 'latest' })
    await listed(on, 'no group is listed', GROUP)

    const metrics = [CLIENT_METRICS, on.name('m')] as const
    await change('client metrics', CLIENT_METRICS, 'm', ['metrics', SET, 'a.,b.'], ['interval.ms', SET, '1000'])
    await described(on, 'what is asked for', metrics, { metrics: 'a.,b.', 'interval.ms': '1000', match: '' })
    await change('append', CLIENT_METRICS, 'm', ['metrics', APPEND, 'c.'])
    await change('subtract', CLIENT_METRICS, 'm', ['metrics', SUBTRACT, 'a.'])
    await change('one twice', CLIENT_METRICS, 'm', ['metrics', SET, 'b.,c.,b.'], ['match', SET, 'client_id=nobody'])
    await described(on, 'one twice is one', metrics, { metrics: 'b.,c.', match: 'client_id=nobody' })
    await listed(on, 'a subscription is listed', CLIENT_METRICS)
    await change('a bad interval', CLIENT_METRICS, 'm', ['interval.ms', SET, '1'])
    const none: Edit[] = ['metrics', 'interval.ms', 'match'].map(name => [name, DELETE, null])
    await change('nothing more', CLIENT_METRICS, 'm', ...none)
    await described(on, 'nothing is asked for', metrics, { metrics: '', 'interval.ms': '300000' })
    await listed(on, 'no subscription is listed', CLIENT_METRICS)
  },
  { alone: true },
)

const whole = scenario(
  'alter configs/groups and client metrics, all keys',
  AlterConfigs,
  async (on, v) => {
    const change = (label: string, type: number, hint: string, ...list: Setting[]) =>
      on.attempt(label, AlterConfigs, v, { resources: [settings(type, on.name(hint), list)], validateOnly: false })
    const group = [GROUP, on.name('g')] as const
    await change('a group', GROUP, 'g', [SESSION, '46000'], [HEARTBEAT, '6000'])
    await change('one key', GROUP, 'g', [HEARTBEAT, '7000'])
    await described(on, 'the other is gone', group, { [SESSION]: '45000', [HEARTBEAT]: '7000' })
    await change('a bad value', GROUP, 'g', [HEARTBEAT, '1'])
    await change('null', GROUP, 'g', [HEARTBEAT, null])
    await change('none', GROUP, 'g')
    await described(on, 'as in the beginning', group, { [HEARTBEAT]: '5000' })
    const metrics = [CLIENT_METRICS, on.name('m')] as const
    await change('client metrics', CLIENT_METRICS, 'm', ['metrics', 'a.'])
    await change('others', CLIENT_METRICS, 'm', ['interval.ms', '1000'])
    await described(on, 'others alone', metrics, { metrics: '', 'interval.ms': '1000' })
    await change('a bad match', CLIENT_METRICS, 'm', ['match', 'nothing'])
    await change('no client metrics', CLIENT_METRICS, 'm')
    await described(on, 'no client metrics are left', metrics, { 'interval.ms': '300000' })
  },
  { alone: true },
)

export const otherConfigScenarios = [lookedAt, kept, whole]
