// Broker keys that stand for one setting in several units: log.retention.ms, .minutes and .hours.

import type { Key } from './key.ts'
import type { BrokerKeyName } from './keys.ts'
import { namesOf, topicKeys } from './keys.ts'

/** From the topic keys that name them, in order of precedence. */
const families = new Map<BrokerKeyName, BrokerKeyName[]>()
for (const topic of namesOf(topicKeys)) {
  const key: Key<unknown> = topicKeys[topic]
  const names = (key.broker ?? []).map(synonym => synonym.key as BrokerKeyName)
  // The flush scheduler's interval is a default of log.flush.interval.ms, not another name of it.
  for (const name of names) families.set(name, name === 'log.flush.scheduler.interval.ms' ? [name] : names)
}

/** The names of a key's setting, its own included, highest precedence first. */
export const familyOf = (name: BrokerKeyName): readonly BrokerKeyName[] => families.get(name) ?? [name]
