/**
 * Where the replicas of new partitions go: manual assignments are checked, others are striped over the registered
 * brokers so that leaders are spread (a simple form of StripedReplicaPlacer.java, without racks).
 */
import { INVALID_REPLICA_ASSIGNMENT, INVALID_REPLICATION_FACTOR } from '../../protocol/errors.ts'
import { refuse, type Refusal } from './decision.ts'
import type { BrokerImage, MetadataView } from './image.ts'
import { DirectoryId, type KnownRecord } from './records.ts'

const isActive = (broker: BrokerImage | undefined): boolean =>
  broker !== undefined && !broker.fenced && !broker.inControlledShutdown

/** A broker whose directories are all cordoned takes no new replicas (4.3-IV0). */
const isUsable = ({ logDirs, cordonedLogDirs }: BrokerImage): boolean =>
  cordonedLogDirs === null || cordonedLogDirs.length === 0 || logDirs.some(id => !cordonedLogDirs.includes(id))

/** Why a manual assignment is refused, or null. `replicationFactor` is that of the topic's other partitions, if any. */
export function refuseAssignment(
  image: MetadataView,
  partition: number,
  brokerIds: readonly number[],
  replicationFactor: number | null,
): Refusal | null {
  const no = (why: string) => refuse(INVALID_REPLICA_ASSIGNMENT, `The assignment of partition ${partition} ${why}.`)
  if (brokerIds.length === 0) return no('names no broker')
  for (const id of brokerIds.toSorted((a, b) => a - b)) {
    const broker = image.broker(id)
    if (broker === undefined) return no(`names broker ${id}, which is not registered`)
    if (!isUsable(broker)) return no(`names broker ${id}, whose log directories are all cordoned`)
  }
  if (new Set(brokerIds).size < brokerIds.length) return no('names a broker more than once')
  if (replicationFactor !== null && brokerIds.length !== replicationFactor)
    return no(`has ${brokerIds.length} replica(s), the other partitions have ${replicationFactor}`)
  if (!brokerIds.some(id => isActive(image.broker(id))))
    return no('names only brokers that are fenced or shutting down')
  return null
}

/** Replicas for `count` partitions from `first` on, one list per partition, the preferred leader in front. */
export function place(
  image: MetadataView,
  first: number,
  count: number,
  replicationFactor: number,
): readonly (readonly number[])[] | Refusal {
  const no = (why: string) =>
    refuse(INVALID_REPLICATION_FACTOR, `Replication factor ${replicationFactor} is not possible: ${why}.`)
  if (replicationFactor <= 0) return no('it must be positive')
  const usable = [...image.brokers()].filter(isUsable).toSorted((a, b) => a.brokerId - b.brokerId)
  const active = usable.filter(isActive).map(({ brokerId }) => brokerId)
  const others = usable.filter(broker => !isActive(broker)).map(({ brokerId }) => brokerId)
  if (active.length === 0) return no('no broker is active')
  if (replicationFactor > usable.length) return no(`only ${usable.length} broker(s) are registered`)
  const start = first + image.topicCount
  return Array.from({ length: count }, (_, i) => {
    const shift = (start + i) % active.length
    return [...active.slice(shift), ...active.slice(0, shift), ...others].slice(0, replicationFactor)
  })
}

/** The record of a partition that begins its life: its ISR are the replicas that are alive, led by the first of them. */
export function newPartitionRecord(
  image: MetadataView,
  topicId: string,
  partitionId: number,
  replicas: readonly number[],
): KnownRecord {
  const isr = replicas.filter(id => isActive(image.broker(id)))
  return {
    type: 'PartitionRecord',
    value: {
      partitionId,
      topicId,
      replicas,
      isr,
      removingReplicas: [],
      addingReplicas: [],
      leader: isr[0] ?? -1,
      leaderRecoveryState: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: replicas.map(id => defaultDirectory(image.broker(id))),
      eligibleLeaderReplicas: null,
      lastKnownElr: null,
    },
  }
}

/** With several directories the broker chooses and tells the controller later (KIP-858). */
function defaultDirectory(broker: BrokerImage | undefined): string {
  const [only, ...more] = broker?.logDirs ?? []
  if (only === undefined) return DirectoryId.MIGRATING
  return more.length === 0 ? only : DirectoryId.UNASSIGNED
}
