// Which transactional batches of a Produce request may be appended (KIP-890). Kafka: ReplicaManager.scala
// (handleProduceAppend), KafkaApis.scala (handleProduceRequest).
import type { RequestOf } from '../../protocol/api.ts'
import type { Produce } from '../../protocol/messages/00-produce.ts'
import type { Records } from '../../protocol/schema.ts'
import type { RequestContext } from './handler.ts'
import * as batch from '../../protocol/records/batch.ts'
import {
  CONCURRENT_TRANSACTIONS,
  COORDINATOR_LOAD_IN_PROGRESS,
  COORDINATOR_NOT_AVAILABLE,
  INVALID_PRODUCER_ID_MAPPING,
  KafkaError,
  NOT_COORDINATOR,
  NOT_ENOUGH_REPLICAS,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
} from '../../protocol/errors.ts'
import { producerKnows, type Admission, type ClientKnowledge } from '../broker/transactions.ts'

type Request = RequestOf<typeof Produce>

/** One per partition of the request, in order. */
export type Admissions = readonly (Admission | KafkaError)[]

const NOT_READY = new Set<number>([COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR])

interface Transactional {
  readonly position: number
  readonly topic: string
  readonly partition: number
  readonly sequence: number
  readonly producerId: number
  readonly producerEpoch: number
}

/**
 * Null: nothing in the request is part of a transaction. A promise while the coordinator is asked; the request's memory is
 * not needed for that. Throws KafkaError for a request that is refused as a whole.
 */
export function admissionsOf(request: Request, context: RequestContext): Admissions | Promise<Admissions> | null {
  if (!request.topicData.some(({ partitionData }) => partitionData.some(({ records }) => isTransactional(records)))) {
    return null
  }
  const { transactionalId } = request
  if (transactionalId === null) throw new KafkaError(TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
  const { broker, apiVersion, now } = context
  const { batches, count } = transactionalBatches(request, context)
  const [first] = batches
  const none = Array.from({ length: count }, () => null)
  if (!first) return none
  const { producerId, producerEpoch } = first
  if (batches.some(other => other.producerId !== producerId || other.producerEpoch !== producerEpoch)) {
    throw new KafkaError(INVALID_PRODUCER_ID_MAPPING, 'A request cannot carry batches of several producers.')
  }
  const knows = producerKnows(apiVersion)
  const admitted = broker.transactions.admit({ transactionalId, producerId, producerEpoch, knows, now }, batches)
  const inPlace = (found: Admissions): Admissions => {
    const all: (Admission | KafkaError)[] = [...none]
    for (const [i, { position }] of batches.entries()) all[position] = forProducer(found[i]!, knows)
    return all
  }
  return admitted instanceof Promise ? admitted.then(inPlace) : inPlace(admitted)
}

function transactionalBatches(request: Request, { broker, apiVersion }: RequestContext) {
  const batches: Transactional[] = []
  let count = 0
  for (const { name, topicId, partitionData } of request.topicData) {
    const topic = apiVersion >= 13 ? broker.metadata.image.topicById(topicId)?.name : name
    for (const { index, records } of partitionData) {
      const position = count++
      const bytes = records?.parts[0]
      if (topic === undefined || !bytes || !isTransactional(records)) continue
      const producerId = batch.producerId(bytes, 0)
      if (producerId < 0) continue
      const producerEpoch = batch.producerEpoch(bytes, 0)
      const sequence = batch.baseSequence(bytes, 0)
      batches.push({ position, topic, partition: index, sequence, producerId, producerEpoch })
    }
  }
  return { batches, count }
}

function isTransactional(records: Records | null): boolean {
  const bytes = records?.parts[0]
  if (bytes === undefined || bytes.length < batch.HEADER_SIZE) return false
  return batch.magic(bytes, 0) === 2 && batch.isTransactional(bytes, 0)
}

/** Errors that producers do not know how to wait for become one that they do. */
function forProducer(admission: Admission | KafkaError, knows: ClientKnowledge): Admission | KafkaError {
  if (!(admission instanceof KafkaError)) return admission
  const isPassing =
    NOT_READY.has(admission.code) || (admission.code === CONCURRENT_TRANSACTIONS && knows !== 'implicit')
  if (!isPassing) return admission
  return new KafkaError(NOT_ENOUGH_REPLICAS, 'The transaction coordinator could not be asked about the partition.')
}
