/** DeleteTopics (KIP-4, 322, 516) as ControllerApis decides it, by name and by id. */
import {
  INVALID_REQUEST,
  NONE,
  TOPIC_DELETION_DISABLED,
  UNKNOWN_TOPIC_ID,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../../protocol/errors.ts'
import type { ReplyOf, RequestOf } from '../../protocol/api.ts'
import type { DeleteTopics } from '../../protocol/messages/index.ts'
import { duplicates, refuse, type Decision } from './decision.ts'
import type { MetadataView } from './image.ts'
import { ZERO_UUID, type MetadataRecord } from './records.ts'

type Request = RequestOf<typeof DeleteTopics>
type Reply = ReplyOf<typeof DeleteTopics>
type Result = Reply['responses'][number]

export interface DeleteTopicsOptions {
  /** `delete.topic.enable`. */
  readonly enabled: boolean
  readonly apiVersion: number
}

/**
 * `topicNames` (v0-5) and `topics` (v6+) may each name topics; a topic that the request names twice, by whatever
 * means, is not deleted. Results: refused requests first, then deletions in the order of the request. (Kafka shuffles
 * them so that positions tell nothing.)
 */
export function deleteTopics(image: MetadataView, request: Request, options: DeleteTopicsOptions): Decision<Reply> {
  if (!options.enabled) return refuseAll(request, options.apiVersion)
  const responses: Result[] = []
  const respond = (name: string | null, topicId: string, code: number, message: string | null = null) => {
    if (code === NONE) responses.push({ name, topicId, errorCode: NONE, errorMessage: null })
    else responses.push({ name, topicId, ...(message === null ? refuse(code) : refuse(code, message)) })
  }

  const names = [...request.topicNames]
  const ids: string[] = []
  for (const { name, topicId } of request.topics)
    if (name === null && topicId === ZERO_UUID)
      respond(null, ZERO_UUID, INVALID_REQUEST, 'A topic needs a name or an id.')
    else if (name === null) ids.push(topicId)
    else if (topicId === ZERO_UUID) names.push(name)
    else respond(name, topicId, INVALID_REQUEST, 'A topic is named by its name or by its id, not by both.')

  const repeatedNames = duplicates(names)
  const repeatedIds = duplicates(ids)
  for (const name of repeatedNames) respond(name, ZERO_UUID, INVALID_REQUEST, 'The topic is named more than once.')
  for (const id of repeatedIds) respond(null, id, INVALID_REQUEST, 'The topic id is given more than once.')

  const doomed = new Map<string, string>()
  for (const id of ids) {
    if (repeatedIds.has(id)) continue
    const topic = image.topicById(id)
    if (topic === undefined) respond(null, id, UNKNOWN_TOPIC_ID)
    else doomed.set(id, topic.name)
  }
  for (const name of names) {
    if (repeatedNames.has(name)) continue
    const topicId = image.topicByName(name)?.topicId
    if (topicId === undefined) respond(name, ZERO_UUID, UNKNOWN_TOPIC_OR_PARTITION)
    else if (doomed.has(topicId) || repeatedIds.has(topicId)) {
      doomed.delete(topicId)
      respond(name, topicId, INVALID_REQUEST, 'The request names this topic by its id too.')
    } else doomed.set(topicId, name)
  }
  const records: MetadataRecord[] = []
  for (const [topicId, name] of doomed) {
    records.push({ type: 'RemoveTopicRecord', value: { topicId } })
    respond(name, topicId, NONE)
  }
  return { records, reply: { throttleTimeMs: 0, responses } }
}

/** TOPIC_DELETION_DISABLED is an error of v3 and above (KIP-322). */
function refuseAll(request: Request, apiVersion: number): Decision<Reply> {
  const errorCode = apiVersion < 3 ? INVALID_REQUEST : TOPIC_DELETION_DISABLED
  const named = request.topicNames.map((name): Result => ({ name, topicId: ZERO_UUID, errorCode, errorMessage: null }))
  const listed = request.topics.map(({ name, topicId }): Result => ({ name, topicId, errorCode, errorMessage: null }))
  return { records: [], reply: { throttleTimeMs: 0, responses: [...named, ...listed] } }
}
