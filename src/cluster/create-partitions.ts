/** CreatePartitions (KIP-195) as ControllerApis and ReplicationControlManager decide it. */
import {
  INVALID_PARTITIONS,
  INVALID_REPLICA_ASSIGNMENT,
  INVALID_REQUEST,
  NONE,
  POLICY_VIOLATION,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../../protocol/errors.ts'
import type { ReplyOf, RequestOf } from '../../protocol/api.ts'
import type { CreatePartitions } from '../../protocol/messages/index.ts'
import { duplicates, MAX_RECORDS_PER_DECISION, refuse, type Decision, type Refusal } from './decision.ts'
import type { MetadataView } from './image.ts'
import { newPartitionRecord, place, refuseAssignment } from './placement.ts'
import type { MetadataRecord } from './records.ts'

type Request = RequestOf<typeof CreatePartitions>
type Topic = Request['topics'][number]
type Reply = ReplyOf<typeof CreatePartitions>

/**
 * Names given twice are refused first, then one result per topic in the order of the request. A topic that would take
 * the decision over 10,000 partitions is refused (POLICY_VIOLATION) and adds none; Kafka records a part of them.
 */
export function createPartitions(image: MetadataView, request: Request): Decision<Reply> {
  const repeated = duplicates(request.topics.map(({ name }) => name))
  const results: Reply['results'][number][] = [...repeated].map(name => ({
    name,
    ...refuse(INVALID_REQUEST, 'The topic is named more than once in the request.'),
  }))
  const records: MetadataRecord[] = []
  for (const topic of request.topics) {
    if (repeated.has(topic.name)) continue
    const added = growTopic(image, topic, MAX_RECORDS_PER_DECISION - records.length)
    if ('errorCode' in added) results.push({ name: topic.name, ...added })
    else {
      for (const record of added) records.push(record)
      results.push({ name: topic.name, errorCode: NONE, errorMessage: null })
    }
  }
  return { records: request.validateOnly ? [] : records, reply: { throttleTimeMs: 0, results } }
}

function growTopic(image: MetadataView, request: Topic, room: number): readonly MetadataRecord[] | Refusal {
  const topic = image.topicByName(request.name)
  if (topic === undefined) return refuse(UNKNOWN_TOPIC_OR_PARTITION, null)
  const before = topic.partitions.length
  const additional = request.count - before
  if (additional === 0) return refuse(INVALID_PARTITIONS, `The topic has ${before} partition(s) already.`)
  if (additional < 0)
    return refuse(INVALID_PARTITIONS, `The topic has ${before} partition(s); ${request.count} would not be more.`)
  if (request.assignments !== null && request.assignments.length !== additional)
    return refuse(
      INVALID_REPLICA_ASSIGNMENT,
      `${additional} partition(s) are to be added, but ${request.assignments.length} assignment(s) are given.`,
    )
  if (additional > room)
    return refuse(POLICY_VIOLATION, `More than ${MAX_RECORDS_PER_DECISION} partitions in one request.`)
  const replicationFactor = topic.partitions[0]?.replicas.length ?? 1
  for (const [i, { brokerIds }] of (request.assignments ?? []).entries()) {
    const refusal = refuseAssignment(image, before + i, brokerIds, replicationFactor)
    if (refusal !== null) return refusal
  }
  const partitions =
    request.assignments?.map(({ brokerIds }) => brokerIds) ?? place(image, before, additional, replicationFactor)
  if ('errorCode' in partitions) return partitions
  return partitions.map((replicas, i) => newPartitionRecord(image, topic.topicId, before + i, replicas))
}
