/** One partition as the metadata log has it, and what its two records do (PartitionRegistration.java). */
import { DirectoryId, type KnownRecord, type RecordValues } from './records.ts'

export interface PartitionImage {
  readonly partition: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly removingReplicas: readonly number[]
  readonly addingReplicas: readonly number[]
  /** Broker id, -1 when there is none. */
  readonly leader: number
  readonly leaderRecoveryState: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  /** The directory id of each replica, in the order of `replicas`. */
  readonly directories: readonly string[]
  /** KIP-966. */
  readonly eligibleLeaderReplicas: readonly number[]
  readonly lastKnownElr: readonly number[]
}

export type PartitionChange = Omit<RecordValues['PartitionChangeRecord'], 'partitionId' | 'topicId'>

/** The change that leaves everything as it is (but for the partition epoch). */
export const unchanged: PartitionChange = {
  isr: null,
  leader: -2,
  replicas: null,
  removingReplicas: null,
  addingReplicas: null,
  leaderRecoveryState: -1,
  directories: null,
  eligibleLeaderReplicas: null,
  lastKnownElr: null,
}

/** A PartitionChangeRecord that changes what is given and nothing else. */
export const partitionChange = (
  topicId: string,
  partitionId: number,
  change: Partial<PartitionChange>,
): KnownRecord => ({
  type: 'PartitionChangeRecord',
  value: { ...unchanged, ...change, topicId, partitionId },
})

export function newPartition(value: RecordValues['PartitionRecord']): PartitionImage {
  return {
    partition: value.partitionId,
    replicas: value.replicas,
    isr: value.isr,
    removingReplicas: value.removingReplicas,
    addingReplicas: value.addingReplicas,
    leader: value.leader,
    leaderRecoveryState: value.leaderRecoveryState,
    leaderEpoch: value.leaderEpoch,
    partitionEpoch: value.partitionEpoch,
    directories: directoriesFor(value.directories, value.replicas.length),
    eligibleLeaderReplicas: value.eligibleLeaderReplicas ?? [],
    lastKnownElr: value.lastKnownElr ?? [],
  }
}

/** Logs older than directory assignment (KIP-858) name none. */
const directoriesFor = (directories: readonly string[], replicas: number): readonly string[] =>
  directories.length === replicas ? directories : Array.from({ length: replicas }, () => DirectoryId.MIGRATING)

/** PartitionRegistration.merge: a leader named anew, even the same one, starts a new leader epoch. */
export function changedPartition(before: PartitionImage, change: PartitionChange): PartitionImage {
  const replicas = change.replicas ?? before.replicas
  return {
    partition: before.partition,
    replicas,
    isr: change.isr ?? before.isr,
    removingReplicas: change.removingReplicas ?? before.removingReplicas,
    addingReplicas: change.addingReplicas ?? before.addingReplicas,
    leader: change.leader === -2 ? before.leader : change.leader,
    leaderRecoveryState: change.leaderRecoveryState === -1 ? before.leaderRecoveryState : change.leaderRecoveryState,
    leaderEpoch: change.leader === -2 ? before.leaderEpoch : before.leaderEpoch + 1,
    partitionEpoch: before.partitionEpoch + 1,
    directories: directoriesFor(change.directories ?? before.directories, replicas.length),
    eligibleLeaderReplicas: change.eligibleLeaderReplicas ?? before.eligibleLeaderReplicas,
    lastKnownElr: change.lastKnownElr ?? before.lastKnownElr,
  }
}
