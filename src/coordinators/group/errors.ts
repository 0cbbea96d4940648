// What went wrong inside, in words that clients of a coordinator know how to act on
// (CoordinatorOperationExceptionHelper.java).
import {
  COORDINATOR_NOT_AVAILABLE,
  INVALID_FETCH_SIZE,
  KafkaError,
  KAFKA_STORAGE_ERROR,
  MESSAGE_TOO_LARGE,
  NOT_COORDINATOR,
  NOT_ENOUGH_REPLICAS,
  NOT_LEADER_OR_FOLLOWER,
  RECORD_LIST_TOO_LARGE,
  REQUEST_TIMED_OUT,
  UNKNOWN_SERVER_ERROR,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../../../protocol/errors.ts'

const OUTSIDE = new Map<number, number>([
  [UNKNOWN_TOPIC_OR_PARTITION, COORDINATOR_NOT_AVAILABLE],
  [NOT_ENOUGH_REPLICAS, COORDINATOR_NOT_AVAILABLE],
  [REQUEST_TIMED_OUT, COORDINATOR_NOT_AVAILABLE],
  [NOT_LEADER_OR_FOLLOWER, NOT_COORDINATOR],
  [KAFKA_STORAGE_ERROR, NOT_COORDINATOR],
  [MESSAGE_TOO_LARGE, UNKNOWN_SERVER_ERROR],
  [RECORD_LIST_TOO_LARGE, UNKNOWN_SERVER_ERROR],
  [INVALID_FETCH_SIZE, UNKNOWN_SERVER_ERROR],
])

/** The code to answer with; what is not a KafkaError is our own bug and goes on. */
export function clientError(error: unknown): number {
  if (!(error instanceof KafkaError)) throw error
  return OUTSIDE.get(error.code) ?? error.code
}

/** OffsetFetch: consumers before 3.9 do not retry COORDINATOR_NOT_AVAILABLE there, but look for the coordinator again. */
export function fetchError(error: unknown): number {
  const code = clientError(error)
  const isPassing = error instanceof KafkaError && code === COORDINATOR_NOT_AVAILABLE && error.code !== code
  return isPassing ? NOT_COORDINATOR : code
}
