// AddOffsetsToTxn makes a group's partition of __consumer_offsets part of a transaction. Clients of transaction.version 2
// leave it to TxnOffsetCommit. Kafka: KafkaApis.scala (handleAddOffsetsToTxnRequest).
import { AddOffsetsToTxn } from '../../protocol/messages/25-add-offsets-to-txn.ts'
import { GROUP_METADATA_TOPIC } from '../cluster/topic-names.ts'
import { fencedFor } from './fenced.ts'
import { handler } from './handler.ts'

export const addOffsetsToTxn = handler(
  AddOffsetsToTxn,
  { onError: (_request, error) => ({ errorCode: error.code }) },
  async ({ transactionalId, producerId, producerEpoch, groupId }, { broker, apiVersion }) => {
    const partitions = [{ topic: GROUP_METADATA_TOPIC, partition: broker.groups.partitionFor(groupId) }]
    const code = await broker.transactionCoordinator.addPartitions({
      transactionalId,
      producerId,
      producerEpoch,
      partitions,
      clientTransactionVersion: 0,
    })
    return { errorCode: fencedFor(code, apiVersion, 2) }
  },
)
