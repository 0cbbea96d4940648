/** Takes a broker out of the metadata. ReplicationControlManager.java (unregisterBroker). */
import { BROKER_ID_NOT_REGISTERED, INVALID_REQUEST, KafkaError } from '../../protocol/errors.ts'
import type { Decision } from './decision.ts'
import type { MetadataView } from './image.ts'

/** @throws KafkaError BROKER_ID_NOT_REGISTERED; INVALID_REQUEST while a partition counts the broker among its in-sync replicas */
export function unregisterBroker(image: MetadataView, brokerId: number): Decision<null> {
  const broker = image.broker(brokerId)
  if (broker === undefined) throw new KafkaError(BROKER_ID_NOT_REGISTERED, `Broker ${brokerId} is not registered.`)
  for (const { name, partitions } of image.topics()) {
    // Who is in sync changes only with a replication protocol, which a single broker has not.
    const held = partitions.find(({ isr }) => isr.includes(brokerId))
    if (held) throw new KafkaError(INVALID_REQUEST, `Broker ${brokerId} is in sync for ${name}-${held.partition}.`)
  }
  const { brokerEpoch } = broker
  return { records: [{ type: 'UnregisterBrokerRecord', value: { brokerId, brokerEpoch } }], reply: null }
}
