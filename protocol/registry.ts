// All messages by Kafka's name (ProduceRequest, OffsetCommitValue, TopicRecord): for tools that are given a name.
import type { Message } from './api.ts'
import { RequestHeader, ResponseHeader } from './messages/headers.ts'
import { apis } from './messages/index.ts'
import type { Shape } from './schema.ts'
import { stateMessages } from './state/index.ts'

export const allMessages: readonly Message<Shape>[] = [
  ...apis.flatMap(api => [api.request, api.response]),
  RequestHeader,
  ResponseHeader,
  ...stateMessages,
]

const byName = new Map(allMessages.map(message => [message.name, message]))

export const messageByName = (name: string): Message<Shape> | undefined => byName.get(name)
