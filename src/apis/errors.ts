// From anything thrown to an error code that a client can be told; what nobody foresaw is logged as our own bug.
import type { RequestContext } from './handler.ts'
import { KafkaError, UNKNOWN_SERVER_ERROR } from '../../protocol/errors.ts'

export function asServerError(error: unknown, context: RequestContext): KafkaError {
  if (error instanceof KafkaError) return error
  context.broker.runtime.log.error(
    { err: error, clientId: context.clientId },
    'Unexpected error while handling a request',
  )
  return new KafkaError(UNKNOWN_SERVER_ERROR)
}
