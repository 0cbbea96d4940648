/** Kafka's rule for topic names (Topic.java), collisions between '.' and '_', and the topics a cluster keeps for itself. */

export const GROUP_METADATA_TOPIC = '__consumer_offsets'
export const TRANSACTION_STATE_TOPIC = '__transaction_state'
export const SHARE_GROUP_STATE_TOPIC = '__share_group_state'
export const CLUSTER_METADATA_TOPIC = '__cluster_metadata'

const internalTopics: ReadonlySet<string> = new Set([
  GROUP_METADATA_TOPIC,
  TRANSACTION_STATE_TOPIC,
  SHARE_GROUP_STATE_TOPIC,
])

const MAX_NAME_LENGTH = 249

/** Whether Metadata marks the topic as internal. `__cluster_metadata` is no topic that clients see. */
export const isInternalTopic = (name: string): boolean => internalTopics.has(name)

/** Why a name is refused, as the end of a sentence, or null when it is legal: 1 to 249 of `[a-zA-Z0-9._-]`, not `.` or `..`. */
export function topicNameError(name: string): string | null {
  if (name === '') return 'it is empty'
  if (name === '.' || name === '..') return `'${name}' is reserved`
  if (name.length > MAX_NAME_LENGTH) return `it has ${name.length} characters, more than ${MAX_NAME_LENGTH}`
  if (!/^[a-zA-Z0-9._-]*$/.test(name)) return `only ASCII letters, digits, '.', '_' and '-' are allowed`
  return null
}

/** Names that differ only in '.' and '_' would share a metric name. */
export const hasCollisionChars = (name: string): boolean => name.includes('.') || name.includes('_')

/** The name under which colliding topics meet. */
export const unifyCollisionChars = (name: string): string => name.replaceAll('.', '_')
