/**
 * Which log directory of a broker holds which replica (KIP-858): the decisions that Apache Kafka's controller takes on
 * AssignReplicasToDirs requests and on what heartbeats say of directories (ReplicationControlManager.java).
 */
import type { Decision } from './decision.ts'
import { ELR_VERSION } from './features.ts'
import type { BrokerImage, MetadataView } from './image.ts'
import { partitionChange, type PartitionChange, type PartitionImage } from './partition-image.ts'
import { DirectoryId, type MetadataRecord } from './records.ts'

export interface DirectoryAssignment {
  readonly topicId: string
  readonly partition: number
  readonly directoryId: string
}

/** The first `metadata.version` levels that know directories of replicas (3.7-IV2) and cordoned ones (4.3-IV0). */
const DIRECTORIES_LEVEL = 17
const CORDONED_LEVEL = 30

/** The directory in which a broker has its replica; undefined where it has none. */
export function directoryOf({ replicas, directories }: PartitionImage, brokerId: number): string | undefined {
  const at = replicas.indexOf(brokerId)
  return at < 0 ? undefined : directories[at]
}

/** Whether a replica in this directory may serve: the directory is online, or nobody has said yet which one it is. */
export const isOnline = (directoryId: string, online: readonly string[]): boolean =>
  directoryId === DirectoryId.MIGRATING || directoryId === DirectoryId.UNASSIGNED || online.includes(directoryId)

/**
 * Notes where replicas of a broker are; one that was given up because nobody knew that directory leads again. Partitions that are
 * gone meanwhile are left out.
 */
export function assignDirectories(
  image: MetadataView,
  brokerId: number,
  assignments: readonly DirectoryAssignment[],
): Decision<undefined> {
  const records: MetadataRecord[] = []
  if (image.metadataVersion < DIRECTORIES_LEVEL) return { records, reply: undefined }
  for (const { topicId, partition: index, directoryId } of assignments) {
    const partition = image.topicById(topicId)?.partitions[index]
    const known = partition && directoryOf(partition, brokerId)
    if (partition === undefined || known === undefined || known === directoryId) continue
    const directories = partition.directories.map((id, n) => (partition.replicas[n] === brokerId ? directoryId : id))
    const isBack = partition.leader === -1 && isOnline(directoryId, image.broker(brokerId)?.logDirs ?? [])
    records.push(partitionChange(topicId, index, { directories, ...(isBack && leaderBack(partition, brokerId)) }))
  }
  return { records, reply: undefined }
}

/**
 * What becomes of a partition that a broker led and cannot serve: where leader candidates are tracked (KIP-966) it leaves the ISR,
 * to be eligible, else the last one stays in it.
 */
export function leaderLost(image: MetadataView, partition: PartitionImage, brokerId: number): Partial<PartitionChange> {
  if (image.featureLevel(ELR_VERSION) === 0) return { leader: -1 }
  const { eligibleLeaderReplicas: eligible } = partition
  return {
    leader: -1,
    isr: partition.isr.filter(id => id !== brokerId),
    eligibleLeaderReplicas: eligible.includes(brokerId) ? eligible : [...eligible, brokerId],
  }
}

function leaderBack({ isr, eligibleLeaderReplicas }: PartitionImage, brokerId: number): Partial<PartitionChange> {
  if (isr.includes(brokerId)) return { leader: brokerId }
  if (isr.length > 0 || !eligibleLeaderReplicas.includes(brokerId)) return {}
  const others = eligibleLeaderReplicas.filter(id => id !== brokerId)
  return { leader: brokerId, isr: [brokerId], eligibleLeaderReplicas: others }
}

/** A directory of a running broker failed: its partitions have no leader until it is back. */
export function failDirectory(image: MetadataView, brokerId: number, directoryId: string): Decision<undefined> {
  const broker = image.broker(brokerId)
  const records: MetadataRecord[] = []
  if (!broker?.logDirs.includes(directoryId)) return { records, reply: undefined }
  for (const { topicId, partitions } of image.topics())
    for (const partition of partitions)
      if (partition.leader === brokerId && directoryOf(partition, brokerId) === directoryId)
        records.push(partitionChange(topicId, partition.partition, leaderLost(image, partition, brokerId)))
  records.push(registrationChange(broker, { logDirs: broker.logDirs.filter(id => id !== directoryId) }))
  return { records, reply: undefined }
}

/** The directories of a broker that take no new partitions (KIP-1066). */
export function cordonDirectories(
  image: MetadataView,
  brokerId: number,
  directoryIds: readonly string[],
): Decision<undefined> {
  const broker = image.broker(brokerId)
  const before = broker?.cordonedLogDirs ?? []
  const isSame = before.length === directoryIds.length && directoryIds.every(id => before.includes(id))
  if (broker === undefined || isSame || image.metadataVersion < CORDONED_LEVEL) return { records: [], reply: undefined }
  return { records: [registrationChange(broker, { cordonedLogDirs: directoryIds })], reply: undefined }
}

const registrationChange = (
  { brokerId, brokerEpoch }: BrokerImage,
  change: { readonly logDirs?: readonly string[]; readonly cordonedLogDirs?: readonly string[] },
): MetadataRecord => ({
  type: 'BrokerRegistrationChangeRecord',
  value: {
    brokerId,
    brokerEpoch,
    fenced: 0,
    inControlledShutdown: 0,
    logDirs: change.logDirs ?? [],
    cordonedLogDirs: change.cordonedLogDirs ?? null,
  },
})
