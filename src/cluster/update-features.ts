/**
 * UpdateFeatures (KIP-584, KIP-778, KIP-1022) as FeatureControlManager decides it: all updates of a request or none. The
 * only error is INVALID_UPDATE_VERSION. ConfigurationControlManager adds what eligible leader replicas ask for.
 */
import { INVALID_UPDATE_VERSION, NONE } from '../../protocol/errors.ts'
import { refuse, type Decision, type Refusal } from './decision.ts'
import { ELR_VERSION, KRAFT_VERSION, type ServedFeature } from './features.ts'
import type { MetadataView } from './image.ts'
import { recordedQuorum, type Quorum, type Voter } from './quorum.ts'
import { ConfigResource, METADATA_VERSION, type MetadataRecord } from './records.ts'

/** FeatureUpdate.UpgradeType. */
export const UpgradeType = { UPGRADE: 1, SAFE_DOWNGRADE: 2, UNSAFE_DOWNGRADE: 3 } as const

export interface FeatureUpdate {
  readonly feature: string
  readonly maxVersionLevel: number
  /** Any number that a client may send; those outside of UpgradeType are refused. */
  readonly upgradeType: number
}

export interface UpdateFeaturesOptions {
  readonly validateOnly: boolean
  /** What this node serves; another feature has level 0 alone. */
  readonly supported: readonly ServedFeature[]
  /** What the broker was started with: becomes the cluster's when eligible leader replicas are switched on. */
  readonly minInsyncReplicas: number
  /** This node as a voter: recorded when kraft.version rises to 1. */
  readonly voter: Pick<Voter, 'voterId' | 'voterDirectoryId' | 'endpoints'>
}

/** Levels of metadata.version that changed the metadata (MetadataVersion.didMetadataChange): no way back from them. */
const METADATA_CHANGED: readonly number[] = [7, 8, 11, 13, 14, 15, 17, 23, 30]
/** 4.0-IV1 brought the records of eligible leader replicas. */
const ELR_NEEDS_METADATA = 23
const MIN_INSYNC = 'min.insync.replicas'

/** A feature that is named twice gets the last of its levels. */
export function updateFeatures(
  image: MetadataView,
  quorum: Quorum,
  updates: readonly FeatureUpdate[],
  options: UpdateFeaturesOptions,
): Decision<Refusal> {
  const distinct = new Map(updates.map(update => [update.feature, update]))
  const metadataVersion = distinct.get(METADATA_VERSION)?.maxVersionLevel ?? image.metadataVersion
  for (const update of distinct.values()) {
    const reason = refusal({ image, quorum, metadataVersion }, update, options.supported)
    if (reason !== null) return { records: [], reply: refuse(INVALID_UPDATE_VERSION, textOf(update, reason)) }
  }
  const reply = refuse(NONE, null)
  if (options.validateOnly) return { records: [], reply }
  const records = recordsOf(image, [...distinct.values()], options.minInsyncReplicas)
  const rises = (distinct.get(KRAFT_VERSION)?.maxVersionLevel ?? 0) > quorum.kraftVersion
  return { records, reply, ...(rises && { quorum: recordedQuorum(options.voter) }) }
}

const textOf = ({ feature, maxVersionLevel }: FeatureUpdate, reason: string): string =>
  `${feature} cannot be set to ${maxVersionLevel}: ${reason}`

interface Before {
  readonly image: MetadataView
  readonly quorum: Quorum
  /** After the request. */
  readonly metadataVersion: number
}

/** Why an update may not be; null: it may. */
function refusal(
  { image, quorum, metadataVersion }: Before,
  { feature, maxVersionLevel: level, upgradeType }: FeatureUpdate,
  supported: readonly ServedFeature[],
): string | null {
  if (!isUpgradeType(upgradeType)) return `there is no upgrade type ${upgradeType}.`
  if (level < 0) return 'a level cannot be negative.'
  const unsupported = notSupported(image, feature, level, supported)
  if (unsupported !== null) return unsupported
  const current = feature === KRAFT_VERSION ? quorum.kraftVersion : image.featureLevel(feature)
  if (level < current && upgradeType === UpgradeType.UPGRADE)
    return `it is at ${current}, and a downgrade must say whether it is a safe or an unsafe one.`
  if (level > current && upgradeType !== UpgradeType.UPGRADE) return `it is at ${current}, which is no downgrade.`
  if (feature === METADATA_VERSION)
    return isLossless(current, level) ? null : `it is at ${current}, and the way back would lose metadata.`
  if (feature === KRAFT_VERSION) return level < current ? `it is at ${current}, and there is no way back.` : null
  if (!supported.some(({ name }) => name === feature)) return 'there is no such feature.'
  if (feature === ELR_VERSION && level > 0 && metadataVersion < ELR_NEEDS_METADATA)
    return `it needs ${METADATA_VERSION} ${ELR_NEEDS_METADATA}.`
  return null
}

const isUpgradeType = (type: number): boolean => Object.values<number>(UpgradeType).includes(type)

/** By this node as a controller, and by every broker that is registered. */
function notSupported(
  image: MetadataView,
  feature: string,
  level: number,
  supported: readonly ServedFeature[],
): string | null {
  const own = supported.find(({ name }) => name === feature)
  const ranges = [[own?.minVersion ?? 0, own?.maxVersion ?? 0, 'this version of Odradek'] as [number, number, string]]
  for (const { brokerId, features } of image.brokers()) {
    const of = features.find(({ name }) => name === feature)
    ranges.push([of?.minSupportedVersion ?? 0, of?.maxSupportedVersion ?? 0, `broker ${brokerId}`])
  }
  for (const [min, max, who] of ranges) {
    if (level >= min && level <= max) continue
    return max === 0 ? `${who} does not support this feature.` : `${who} supports ${min} to ${max}.`
  }
  return null
}

const isLossless = (from: number, to: number): boolean =>
  !METADATA_CHANGED.some(changed => to < changed && changed <= from)

function recordsOf(image: MetadataView, updates: readonly FeatureUpdate[], minInsync: number): MetadataRecord[] {
  const records: MetadataRecord[] = []
  if (updates.some(({ feature, maxVersionLevel }) => feature === ELR_VERSION && maxVersionLevel > 0))
    records.push(...minInsyncOfCluster(image, minInsync))
  for (const { feature, maxVersionLevel, upgradeType } of updates) {
    if (feature !== KRAFT_VERSION)
      records.push({ type: 'FeatureLevelRecord', value: { name: feature, featureLevel: maxVersionLevel } })
    else if (upgradeType === UpgradeType.UPGRADE) records.push({ type: 'NoOpRecord', value: {} })
  }
  return records
}

/** The cluster has the setting, and no broker one of its own. */
function minInsyncOfCluster(image: MetadataView, minInsync: number): MetadataRecord[] {
  const records: MetadataRecord[] = []
  const set = (resourceName: string, value: string | null): void =>
    void records.push({
      type: 'ConfigRecord',
      value: { resourceType: ConfigResource.BROKER, resourceName, name: MIN_INSYNC, value },
    })
  if (!image.configs(ConfigResource.BROKER, '').has(MIN_INSYNC)) set('', String(minInsync))
  for (const brokerId of image.configuredResources(ConfigResource.BROKER))
    if (brokerId !== '' && image.configs(ConfigResource.BROKER, brokerId).has(MIN_INSYNC)) set(brokerId, null)
  return records
}
