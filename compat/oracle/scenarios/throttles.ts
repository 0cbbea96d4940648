// What kafka-reassign-partitions sets for a while and takes back: rates of the broker, replicas of topics. Only while they are
// set does Kafka list those of the broker.
import { IncrementalAlterConfigs } from '../../../protocol/index.ts'
import { scenario } from '../scenario.ts'
import { APPEND, DELETE, described, edits, SET, SUBTRACT, type Edit } from './alter-configs.ts'

const TOPIC = 2
const BROKER = 4
const LEADER = 'leader.replication.throttled.rate'
const FOLLOWER = 'follower.replication.throttled.rate'
const MOVES = 'replica.alter.log.dirs.io.max.bytes.per.second'
const LEADERS = 'leader.replication.throttled.replicas'
const FOLLOWERS = 'follower.replication.throttled.replicas'

const throttles = scenario(
  'throttles/set and taken back',
  IncrementalAlterConfigs,
  async (on, v) => {
    const topic = await on.topic('t', { partitions: 2 })
    const change = (label: string, type: number, name: string, list: readonly Edit[], validateOnly = false) =>
      on.attempt(label, IncrementalAlterConfigs, v, { resources: [edits(type, name, list)], validateOnly })
    const nothing = { [LEADER]: undefined, [FOLLOWER]: undefined, [MOVES]: undefined }
    await described(on, 'nothing yet', [BROKER, '1'], nothing)
    await change('a negative rate', BROKER, '1', [[LEADER, SET, '-1']])
    await change('no number', BROKER, '1', [[FOLLOWER, SET, 'fast']])
    await change('only looked at', BROKER, '1', [[LEADER, SET, '7']], true)
    await change('three rates', BROKER, '1', [
      [LEADER, SET, '1000'],
      [FOLLOWER, SET, '2000'],
      [MOVES, SET, '3000'],
    ])
    await described(on, 'of the broker', [BROKER, '1'], { [LEADER]: '1000', [FOLLOWER]: '2000', [MOVES]: '3000' })
    await change('for all', BROKER, '', [[LEADER, SET, '5000']])
    await described(on, 'of all', [BROKER, ''], { [LEADER]: '5000' })
    await described(on, 'of the broker still', [BROKER, '1'], { [LEADER]: '1000' })
    await change('not of this one', BROKER, '1', [[LEADER, DELETE, null]])
    await described(on, 'that of all', [BROKER, '1'], { [LEADER]: '5000', [FOLLOWER]: '2000', [MOVES]: '3000' })
    await change('replicas of a topic', TOPIC, topic.name, [
      [LEADERS, APPEND, '0:1,1:1'],
      [FOLLOWERS, SET, '*'],
    ])
    await described(on, 'of the topic', [TOPIC, topic.name], { [LEADERS]: '0:1,1:1', [FOLLOWERS]: '*' })
    await change('one replica less', TOPIC, topic.name, [[LEADERS, SUBTRACT, '0:1']])
    await described(on, 'of the topic still', [TOPIC, topic.name], { [LEADERS]: '1:1', [FOLLOWERS]: '*' })
    await change('no replicas', TOPIC, topic.name, [
      [LEADERS, DELETE, null],
      [FOLLOWERS, DELETE, null],
    ])
    await change('not for all', BROKER, '', [[LEADER, DELETE, null]])
    await change('no rates', BROKER, '1', [
      [FOLLOWER, DELETE, null],
      [MOVES, DELETE, null],
    ])
    await described(on, 'nothing any more', [BROKER, '1'], nothing)
  },
  { alone: true },
)

export const throttleScenarios = [throttles]
