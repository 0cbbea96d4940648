// Every key there is: the broker's by area, and those of topics, groups and client metrics subscriptions.

import { controllerKeys } from './keys/controller.ts'
import { coordinatorKeys } from './keys/coordinator.ts'
import { generalKeys } from './keys/general.ts'
import { logKeys } from './keys/log.ts'
import { metricsKeys } from './keys/metrics.ts'
import { networkKeys } from './keys/network.ts'
import { odradekKeys } from './keys/odradek.ts'
import { remoteKeys } from './keys/remote.ts'
import { replicationKeys } from './keys/replication.ts'
import { saslKeys } from './keys/sasl.ts'
import { securityKeys } from './keys/security.ts'
import { shareKeys } from './keys/share.ts'
import { streamsKeys } from './keys/streams.ts'
import { transactionKeys } from './keys/transaction.ts'
import type { Key, Values } from './key.ts'
import { topicKeys } from './keys/topic.ts'

export { clientMetricsKeys } from './keys/client-metrics.ts'
export { groupKeys } from './keys/group.ts'
export { topicKeys }

/** Areas of broker keys with their titles, in the order of the documentation. */
export const brokerAreas = {
  'The node and its topics': generalKeys,
  'Listeners, connections, requests': networkKeys,
  'The log': logKeys,
  'Groups and committed offsets': coordinatorKeys,
  'Our own': odradekKeys,
  Transactions: transactionKeys,
  'Share groups': shareKeys,
  'Streams groups': streamsKeys,
  'Controller quorum': controllerKeys,
  'Replication and quotas': replicationKeys,
  'TLS, access control, tokens': securityKeys,
  SASL: saslKeys,
  'Tiered storage': remoteKeys,
  Metrics: metricsKeys,
} as const

export const brokerKeys = {
  ...generalKeys,
  ...networkKeys,
  ...logKeys,
  ...coordinatorKeys,
  ...odradekKeys,
  ...transactionKeys,
  ...shareKeys,
  ...streamsKeys,
  ...controllerKeys,
  ...replicationKeys,
  ...securityKeys,
  ...saslKeys,
  ...remoteKeys,
  ...metricsKeys,
}

export type BrokerKeys = typeof brokerKeys
export type BrokerKeyName = keyof BrokerKeys
export type BrokerValues = Values<BrokerKeys>
export type TopicKeys = typeof topicKeys
export type TopicKeyName = keyof TopicKeys
export type TopicConfig = Values<TopicKeys>

// Lookups by any text; own properties only, so that 'constructor' is an unknown key.
const find = (keys: Readonly<Record<string, Key<unknown>>>, name: string): Key<unknown> | undefined =>
  Object.hasOwn(keys, name) ? keys[name] : undefined
export const findBrokerKey = (name: string): Key<unknown> | undefined => find(brokerKeys, name)
export const findTopicKey = (name: string): Key<unknown> | undefined => find(topicKeys, name)

/** The names of a record whose names are all declared. */
export const namesOf = <K extends object>(keys: K): (keyof K & string)[] => Object.keys(keys) as (keyof K & string)[]
