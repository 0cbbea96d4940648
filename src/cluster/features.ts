/** Features of the cluster (KIP-584) that this broker serves, and the levels that a new cluster finalizes. */
import { METADATA_VERSION, METADATA_VERSION_LEVEL, MIN_METADATA_VERSION } from './records.ts'

/** KIP-890: 1 the flexible transaction log, 2 an epoch per transaction. */
export const TRANSACTION_VERSION = 'transaction.version'
/** KIP-966: 1 tracks replicas that may lead although they are not in sync, and fixes min.insync.replicas for the cluster. */
export const ELR_VERSION = 'eligible.leader.replicas.version'
/** KIP-853: 1 records the voters of the metadata log. It stands in control records, not among the other levels: see quorum.ts. */
export const KRAFT_VERSION = 'kraft.version'
export const MAX_KRAFT_VERSION = 1

export interface ServedFeature {
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
}

/** All but metadata.version and kraft.version. */
export const servedFeatures: readonly ServedFeature[] = [
  { name: ELR_VERSION, minVersion: 0, maxVersion: 1 },
  { name: TRANSACTION_VERSION, minVersion: 0, maxVersion: 2 },
]

export const supportedFeatures: readonly ServedFeature[] = [
  { name: METADATA_VERSION, minVersion: MIN_METADATA_VERSION, maxVersion: METADATA_VERSION_LEVEL },
  { name: KRAFT_VERSION, minVersion: 0, maxVersion: MAX_KRAFT_VERSION },
  ...servedFeatures,
]

/** A new cluster finalizes the highest levels, as Kafka does; one that exists keeps what it has. */
export const initialLevels: Readonly<Record<string, number>> = Object.fromEntries(
  servedFeatures.map(({ name, maxVersion }) => [name, maxVersion]),
)
