// What a broker says after a restart, held against the model.
import type { Load } from './load.ts'
import type { Batch, Model, PartitionModel, TopicModel } from './model.ts'
import type { Wire } from './wire.ts'
import { Fetch, Metadata, OffsetFetch, errors, errorOf } from '../../protocol/index.ts'
import { batchesOf } from '../../protocol/records/batch.ts'
import { initProducerIds } from './load-produce.ts'
import { idsIn } from './model.ts'

/** Looks at everything; `keep` says which batches will be sent again. Nobody else may be at work. */
export async function verify(load: Load, keep: (batch: Batch) => boolean): Promise<void> {
  const { model, wire } = load
  await verifyTopics(model, wire)
  for (const topic of model.topics.values()) {
    for (const log of topic.partitions) await verifyLog(model, wire, topic, log, keep)
  }
  for (const group of model.groups) await verifyCommits(model, wire, group)
  let asked = false
  await initProducerIds({ ...load, stopped: () => asked || !(asked = true) })
}

/** Topics whose creation or deletion was not answered are there or not; of all others it is known. */
async function verifyTopics(model: Model, wire: Wire): Promise<void> {
  const reply = await wire.send(Metadata, 12, { topics: null, allowAutoTopicCreation: false })
  if (!reply) return void model.problems.push('the broker ended while it was looked at')
  const found = new Map(reply.topics.map(topic => [topic.name!, topic]))
  for (const topic of model.topics.values()) {
    const there = found.get(topic.name)
    if (!there) {
      if (topic.status === 'present') model.problems.push(`topic ${topic.name} is gone`)
      topic.gone()
      continue
    }
    if (topic.status === 'absent') {
      model.problems.push(`topic ${topic.name} is there, but its deletion was acknowledged`)
      continue
    }
    topic.status = 'present'
    model.topicId(topic, there.topicId)
    const faults = there.partitions.filter(({ errorCode, leaderId }) => errorCode !== 0 || leaderId < 0)
    for (const { partitionIndex, errorCode } of faults) {
      model.problems.push(`${topic.name}-${partitionIndex}: ${errorOf(errorCode).name}`)
    }
    if (there.partitions.length !== topic.partitions.length) {
      model.problems.push(`${topic.name} has ${there.partitions.length} partitions, not ${topic.partitions.length}`)
    }
  }
  for (const { name, isInternal } of reply.topics) {
    if (!isInternal && !model.topics.has(name!)) model.problems.push(`nobody made topic ${name}`)
  }
}

async function verifyLog(
  model: Model,
  wire: Wire,
  topic: TopicModel,
  log: PartitionModel,
  keep: (batch: Batch) => boolean,
): Promise<void> {
  const records: { offset: number; id: string }[] = []
  for (let next = 0, end = 1; next < end;) {
    const reply = await wire.send(Fetch, 13, {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 4 << 20,
      topics: [
        {
          topicId: topic.id,
          partitions: [{ partition: log.partition, fetchOffset: next, partitionMaxBytes: 4 << 20 }],
        },
      ],
      forgottenTopicsData: [],
    })
    const answer = reply?.responses[0]?.partitions[0]
    if (!answer || answer.errorCode !== 0) {
      const what = answer ? errorOf(answer.errorCode).name : `no answer (${reply?.errorCode})`
      return void model.problems.push(`Fetch of ${log.topic}-${log.partition} from ${next}: ${what}`)
    }
    end = answer.highWatermark
    const before = next
    for (const part of answer.records?.parts ?? []) {
      for (const at of batchesOf(part)) {
        for (const record of idsIn(part, at, model.problems)) {
          if (record.offset < before) continue
          records.push(record)
          next = record.offset + 1
        }
      }
    }
    if (next === before && next < end) {
      return void model.problems.push(`${log.topic}-${log.partition}: nothing can be read at ${next}, before ${end}`)
    }
  }
  log.look(records, 0, keep)
}

async function verifyCommits(model: Model, wire: Wire, groupId: string): Promise<void> {
  const topics = [...model.topics.values()].map(({ name }) => ({ name, partitionIndexes: [0, 1, 2, 3] }))
  for (;;) {
    const reply = await wire.send(OffsetFetch, 8, { topics: [], groups: [{ groupId, topics }] })
    const group = reply?.groups[0]
    // Until its partition is read back; each ask is a turn of the broker's loop.
    if (group?.errorCode === errors.COORDINATOR_LOAD_IN_PROGRESS) continue
    if (!group || group.errorCode !== 0) {
      return void model.problems.push(`OffsetFetch of ${groupId}: ${errorOf(group?.errorCode ?? -1).name}`)
    }
    for (const { name, partitions } of group.topics) {
      const topic = model.topic(name)
      for (const { partitionIndex, committedOffset, metadata } of partitions) {
        const wrong = topic.commit(groupId, partitionIndex).look(committedOffset)
        if (wrong !== null) model.problems.push(`${groupId}, ${topic.status} topic ${name}-${partitionIndex}: ${wrong}`)
        const expected = committedOffset < 0 ? '' : String(committedOffset)
        if (metadata !== expected && !name.startsWith('kafkajs')) {
          model.problems.push(`${groupId}, ${name}-${partitionIndex}: metadata ${metadata}, not ${expected}`)
        }
      }
    }
    return
  }
}
