/**
 * An image as the records that lead to it (MetadataImage.write): replayed over an empty image they give an equal one.
 * What decides how the rest is read comes first; records that the image does not act on come last, in their own order.
 */
import type { ImageContents } from './image.ts'
import type { PartitionImage } from './partition-image.ts'
import { METADATA_VERSION, type MetadataRecord } from './records.ts'

/** Of the image as it is while it is read: give it one that stands still. Throws Error in the middle of a transaction. */
export function* imageRecords(image: ImageContents): Generator<MetadataRecord, void, undefined> {
  if (image.inTransaction) throw new Error('an image in the middle of a metadata transaction has no records')
  const names = [...image.features.keys()].filter(name => name !== METADATA_VERSION).toSorted()
  for (const name of [METADATA_VERSION, ...names])
    if (image.featureLevel(name) > 0)
      yield { type: 'FeatureLevelRecord', value: { name, featureLevel: image.featureLevel(name) } }
  for (const broker of image.brokers())
    yield { type: 'RegisterBrokerRecord', value: { ...broker, isMigratingZkBroker: false } }
  for (const { name, topicId, partitions } of image.topics()) {
    yield { type: 'TopicRecord', value: { name, topicId } }
    for (const partition of partitions) yield partitionRecord(topicId, partition)
  }
  for (const resourceType of image.configuredTypes())
    for (const resourceName of image.configuredResources(resourceType))
      for (const [name, value] of image.configs(resourceType, resourceName))
        yield { type: 'ConfigRecord', value: { resourceType, resourceName, name, value } }
  if (image.producerIdNext > 0)
    yield {
      type: 'ProducerIdsRecord',
      value: { brokerId: -1, brokerEpoch: -1, nextProducerId: image.producerIdNext },
    }
  yield* image.others
}

const someOf = (list: readonly number[]): readonly number[] | null => (list.length === 0 ? null : list)

// Field by field: there may be a hundred thousand of them.
function partitionRecord(topicId: string, p: PartitionImage): MetadataRecord {
  return {
    type: 'PartitionRecord',
    value: {
      partitionId: p.partition,
      topicId,
      replicas: p.replicas,
      isr: p.isr,
      removingReplicas: p.removingReplicas,
      addingReplicas: p.addingReplicas,
      leader: p.leader,
      leaderRecoveryState: p.leaderRecoveryState,
      leaderEpoch: p.leaderEpoch,
      partitionEpoch: p.partitionEpoch,
      directories: p.directories,
      eligibleLeaderReplicas: someOf(p.eligibleLeaderReplicas),
      lastKnownElr: someOf(p.lastKnownElr),
    },
  }
}
