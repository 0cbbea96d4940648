// Topics that come and go, with records and committed offsets in them: requests are pipelined, so that the broker is killed
// anywhere between a topic's creation, its use and its deletion.
import type { Load } from './load.ts'
import type { TopicModel } from './model.ts'
import { CreateTopics, DeleteTopics, errorOf, errors } from '../../protocol/index.ts'
import { commit } from './load-groups.ts'
import { accept, newBatch, sendBatches } from './load.ts'

const SIZES = { records: 3, minBytes: 10, maxBytes: 200 }
const GROUP = 'churn'

/** One client with topics of its own. */
export async function churn(load: Load, names: readonly string[]): Promise<void> {
  const { wire, model, random, stopped } = load
  while (!wire.isClosed && !stopped()) {
    const topic = model.topic(random.pick(names))
    const steps: Promise<void>[] = []
    if (topic.status === 'absent') steps.push(create(load, topic), ...use(load, topic))
    else if (random.chance(0.5)) steps.push(...use(load, topic), remove(load, topic))
    else steps.push(...use(load, topic))
    await Promise.all(steps)
  }
}

async function create({ wire, model, random }: Load, topic: TopicModel): Promise<void> {
  const count = random.int(1, 3)
  topic.creating(count)
  const reply = await wire.send(CreateTopics, 7, {
    topics: [{ name: topic.name, numPartitions: count, replicationFactor: 1, assignments: [], configs: [] }],
  })
  if (!reply) return
  const { errorCode, topicId } = reply.topics[0]!
  if (errorCode !== 0) model.problems.push(`CreateTopics of ${topic.name}: ${errorOf(errorCode).name}`)
  topic.status = 'present'
  model.topicId(topic, topicId)
}

/** Sent behind the creation on the same connection, these must find the topic. */
function use(load: Load, topic: TopicModel): Promise<void>[] {
  const { model, random } = load
  const batches = topic.partitions.map(log => newBatch(load, log, SIZES))
  model.groups.add(GROUP)
  return [
    sendBatches(load, batches, { acks: random.pick([1, -1]) }, (batch, answer) => {
      // A deletion right behind it does not let it become durable any more.
      if (topic.status === 'deleting' && answer.errorCode === errors.UNKNOWN_TOPIC_OR_PARTITION) return
      accept(model)(batch, answer)
    }),
    commit(load, GROUP, topic, random.int(0, topic.partitions.length - 1)),
  ]
}

async function remove({ wire, model, random }: Load, topic: TopicModel): Promise<void> {
  topic.status = 'deleting'
  const reply = await (random.chance(0.5)
    ? wire.send(DeleteTopics, 5, { topicNames: [topic.name], timeoutMs: 1000 })
    : wire.send(DeleteTopics, 6, { topics: [{ topicId: topic.id }], timeoutMs: 1000 }))
  if (!reply) return
  const { errorCode } = reply.responses[0]!
  if (errorCode !== 0) model.problems.push(`DeleteTopics of ${topic.name}: ${errorOf(errorCode).name}`)
  topic.gone()
}
