/**
 * What a starting broker does with the partition folders it finds: the metadata log is the truth, folders follow it.
 * Pure; the storage layer acts on the plan.
 */
import type { MetadataView, TopicImage } from './image.ts'

/** A folder `<topic>-<partition>` and the id in its `partition.metadata`, null when that file is not there. */
export interface PartitionFolder {
  readonly topic: string
  readonly partition: number
  readonly topicId: string | null
}

export interface PartitionToOpen {
  readonly topic: TopicImage
  readonly partition: number
}

export interface Reconciliation {
  readonly open: readonly PartitionToOpen[]
  /** Recorded but without a folder: the broker stopped between the two. */
  readonly create: readonly PartitionToOpen[]
  /** Of a deleted topic, or empty because the broker stopped while it made the folder (no id yet, hence no records). */
  readonly remove: readonly PartitionFolder[]
  /** Of a topic the metadata log never had: perhaps another cluster's. To be set aside (`-stray`), not deleted. */
  readonly stray: readonly PartitionFolder[]
}

/**
 * `deletedTopicIds` are the ids that the metadata log has a RemoveTopicRecord for. Remove and set aside before
 * anything is created: a recreated topic has the same folder names as the old one.
 */
export function reconcile(
  image: MetadataView,
  brokerId: number,
  folders: Iterable<PartitionFolder>,
  deletedTopicIds: ReadonlySet<string>,
): Reconciliation {
  const open: PartitionToOpen[] = []
  const remove: PartitionFolder[] = []
  const stray: PartitionFolder[] = []
  const found = new Set<string>()
  const isOurs = (topic: TopicImage, partition: number) =>
    topic.partitions[partition]?.replicas.includes(brokerId) ?? false
  for (const folder of folders) {
    const topic = folder.topicId === null ? undefined : image.topicById(folder.topicId)
    if (folder.topicId === null || deletedTopicIds.has(folder.topicId)) remove.push(folder)
    else if (topic === undefined || topic.name !== folder.topic || !isOurs(topic, folder.partition)) stray.push(folder)
    else {
      open.push({ topic, partition: folder.partition })
      found.add(`${folder.topic}-${folder.partition}`)
    }
  }
  const create: PartitionToOpen[] = []
  for (const topic of image.topics())
    for (const { partition } of topic.partitions)
      if (isOurs(topic, partition) && !found.has(`${topic.name}-${partition}`)) create.push({ topic, partition })
  return { open, create, remove, stray }
}
