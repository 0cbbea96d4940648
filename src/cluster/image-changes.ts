/** What one `apply` of records to the image changes: on the way, and as it is told afterwards. */
import type { TopicImage } from './image.ts'
import type { PartitionImage } from './partition-image.ts'

/** What one `apply` changed. Topics are as they are afterwards (deleted ones as they were); handle deletions first. */
export interface MetadataDelta {
  readonly topicsDeleted: readonly TopicImage[]
  readonly topicsCreated: readonly TopicImage[]
  readonly partitionsAdded: readonly { readonly topic: TopicImage; readonly partitions: readonly number[] }[]
  /** Leader, epoch, replicas, ISR or directories of partitions that were there before. */
  readonly partitionsChanged: readonly { readonly topic: TopicImage; readonly partitions: readonly number[] }[]
  readonly configsChanged: readonly { readonly resourceType: number; readonly resourceName: string }[]
  readonly brokersChanged: readonly number[]
  readonly featuresChanged: boolean
}

interface OpenTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: PartitionImage[]
}

/** What an `apply` in progress has touched. */
export interface Changes {
  /** Topics that this `apply` owns and may still change in place. */
  readonly open: Map<string, { topic: OpenTopic; created: boolean; added: Set<number>; changed: Set<number> }>
  readonly deleted: Map<string, TopicImage>
  readonly configs: Map<string, { resourceType: number; resourceName: string }>
  readonly brokers: Set<number>
  features: boolean
}

export const newChanges = (): Changes => ({
  open: new Map(),
  deleted: new Map(),
  configs: new Map(),
  brokers: new Set(),
  features: false,
})

export function delta(changes: Changes): MetadataDelta {
  const touched = [...changes.open.values()]
  const some = (which: 'added' | 'changed') =>
    touched
      .filter(entry => !entry.created && entry[which].size > 0)
      .map(entry => ({ topic: entry.topic, partitions: [...entry[which]] }))
  return {
    topicsDeleted: [...changes.deleted.values()],
    topicsCreated: touched.filter(({ created }) => created).map(({ topic }) => topic),
    partitionsAdded: some('added'),
    partitionsChanged: some('changed'),
    configsChanged: [...changes.configs.values()],
    brokersChanged: [...changes.brokers],
    featuresChanged: changes.features,
  }
}
