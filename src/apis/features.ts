// Features as the release that we stand for knows them (`odradek.as.version`): what ApiVersions tells and UpdateFeatures takes.
import type { Broker, Feature } from '../broker/broker.ts'
import { featureRange, isRelease, overlap } from '../config/releases.ts'

type Features = ReturnType<Broker['features']>

/** What the release supports and we do too; `release` null: all. */
export function supportedAs(release: string | null, supported: readonly Feature[]): readonly Feature[] {
  if (release === null || !isRelease(release)) return supported
  return supported.flatMap(({ name, minVersion, maxVersion }) => {
    const [min, max] = overlap([minVersion, maxVersion], featureRange(release, name) ?? [0, -1]) ?? []
    return min === undefined || max === undefined ? [] : [{ name, minVersion: min, maxVersion: max }]
  })
}

/** Only what the release knows, at the highest level it knows; `release` null: all. */
export function featuresAs(release: string | null, all: Features): Features {
  if (release === null || !isRelease(release)) return all
  return {
    ...all,
    supported: supportedAs(release, all.supported),
    finalized: all.finalized.flatMap(({ name, level }) => {
      const max = featureRange(release, name)?.[1] ?? 0
      return max === 0 ? [] : [{ name, level: Math.min(level, max) }]
    }),
  }
}
