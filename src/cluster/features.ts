/** Features of the cluster (KIP-584) that this broker serves beside metadata.version, and the levels it finalizes. */
import type { Decision } from './decision.ts'
import type { MetadataView } from './image.ts'

/** KIP-890: 1 the flexible transaction log, 2 an epoch per transaction. */
export const TRANSACTION_VERSION = 'transaction.version'

export interface ServedFeature {
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
}

/** All but metadata.version. */
export const servedFeatures: readonly ServedFeature[] = [{ name: TRANSACTION_VERSION, minVersion: 0, maxVersion: 2 }]

/** A new cluster finalizes the highest levels. */
export const initialLevels: Readonly<Record<string, number>> = Object.fromEntries(
  servedFeatures.map(({ name, maxVersion }) => [name, maxVersion]),
)

/** A metadata log from before a feature was served: finalizes what it has no level of. */
export function finalizeMissing(image: MetadataView, levels: Readonly<Record<string, number>>): Decision<undefined> {
  const missing = Object.entries(levels).filter(([name, level]) => level > 0 && image.featureLevel(name) === 0)
  return {
    records: missing.map(([name, featureLevel]) => ({ type: 'FeatureLevelRecord', value: { name, featureLevel } })),
    reply: undefined,
  }
}
