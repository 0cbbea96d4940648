// Every message that is kept rather than sent: records of internal topics and of the metadata log, control records,
// what clients put into group protocols, and files of a log directory that Kafka defines as messages.
import type { Message } from '../api.ts'
import { AbortedTxn } from './aborted-txn.ts'
import { ConsumerProtocolAssignment, ConsumerProtocolSubscription } from './consumer-protocol.ts'
import * as control from './control-records.ts'
import { groupCoordinatorRecords } from './group-coordinator.ts'
import { metadataRecords } from './metadata-records.ts'
import { DefaultPrincipalData } from './principal.ts'
import { ProducerSnapshot } from './producer-snapshot.ts'
import { shareCoordinatorRecords } from './share-state.ts'
import { transactionCoordinatorRecords } from './transaction-log.ts'
import type { Shape } from '../schema.ts'

export { groupCoordinatorRecords, metadataRecords, shareCoordinatorRecords, transactionCoordinatorRecords }

const coordinatorRecords = [...groupCoordinatorRecords, ...transactionCoordinatorRecords, ...shareCoordinatorRecords]

export const stateMessages: readonly Message<Shape>[] = [
  ...coordinatorRecords.flatMap(record => [record.key, record.value]),
  ...Object.values(metadataRecords).map(({ message }) => message),
  ...Object.values(control),
  ConsumerProtocolSubscription,
  ConsumerProtocolAssignment,
  DefaultPrincipalData,
  ProducerSnapshot,
  AbortedTxn,
]
