// FindCoordinator tells which broker coordinates a group or a transactional id (KIP-699: several keys since version 4). Kafka: KafkaApis.scala
// (getCoordinator). Unlike Kafka it waits until the internal topic is there instead of answering "not available" once.
import type { ReplyOf } from '../../protocol/api.ts'
import type { RequestContext } from './handler.ts'
import { COORDINATOR_NOT_AVAILABLE, INVALID_REQUEST, KafkaError, NONE, errorOf } from '../../protocol/errors.ts'
import { FindCoordinator } from '../../protocol/messages/10-find-coordinator.ts'
import { GROUP_METADATA_TOPIC, TRANSACTION_STATE_TOPIC } from '../cluster/topic-names.ts'
import { handler } from './handler.ts'

type CoordinatorReply = NonNullable<ReplyOf<typeof FindCoordinator>['coordinators']>[number]

const GROUP = 0
const TRANSACTION = 1
const SHARE = 2

export const findCoordinator = handler(
  FindCoordinator,
  {
    barrier: true,
    onError: (request, error) => ({
      errorCode: error.code,
      errorMessage: error.message,
      nodeId: -1,
      host: '',
      port: -1,
      coordinators: request.coordinatorKeys.map(key => refusal(key, error)),
    }),
  },
  async (request, context) => {
    const keys = context.apiVersion >= 4 ? request.coordinatorKeys : [request.key]
    const coordinators = await coordinatorsOf(keys, request.keyType, context)
    if (context.apiVersion >= 4) return { errorMessage: null, coordinators }
    const only = coordinators[0]
    if (!only) throw new KafkaError(INVALID_REQUEST)
    return { ...only, errorMessage: only.errorMessage || errorOf(only.errorCode).name, coordinators: [] }
  },
)

async function coordinatorsOf(keys: string[], keyType: number, context: RequestContext): Promise<CoordinatorReply[]> {
  const { broker, connection } = context
  if (keyType !== GROUP && keyType !== TRANSACTION) {
    const what = keyType === SHARE ? 'share groups' : `coordinators of type ${keyType}`
    // Kafka says nothing more of a share partition's key.
    const why = keyType === 2 ? '' : `This broker does not serve ${what} yet.`
    const error = new KafkaError(INVALID_REQUEST, why)
    return keys.map(key => refusal(key, error))
  }
  try {
    await broker.ensureInternalTopic(keyType === GROUP ? GROUP_METADATA_TOPIC : TRANSACTION_STATE_TOPIC)
  } catch (error) {
    broker.runtime.log.warn({ err: error }, 'The topic of a coordinator could not be created')
    return keys.map(key => refusal(key, new KafkaError(COORDINATOR_NOT_AVAILABLE)))
  }
  return keys.map(key => {
    const node =
      keyType === GROUP
        ? broker.groupCoordinatorNode(key, connection)
        : broker.transactionCoordinatorNode(key, connection)
    if (!node) return refusal(key, new KafkaError(COORDINATOR_NOT_AVAILABLE))
    return { key, errorCode: NONE, errorMessage: '', nodeId: node.nodeId, host: node.host, port: node.port }
  })
}

const refusal = (key: string, error: KafkaError): CoordinatorReply => ({
  key,
  errorCode: error.code,
  errorMessage: error.message,
  nodeId: -1,
  host: '',
  port: -1,
})
