// The one table of defaults that differ from Apache Kafka's, with the reason. docs/config.md prints it.

import { brokerKeys } from './keys.ts'
import type { BrokerKeyName, BrokerValues } from './keys.ts'

type Table = { readonly [N in BrokerKeyName]?: { readonly value: BrokerValues[N]; readonly why: string } }

const oneBroker = 'One broker holds one replica; Kafka asks for more than there are.'
const alone = 'Kafka wants it written down; a broker that starts without a file needs a value.'

export const ourDefaults = {
  'group.initial.rebalance.delay.ms': { value: 0, why: 'A first consumer gets its partitions at once.' },
  listeners: { value: ['PLAINTEXT://localhost:9092'], why: 'Nobody but this machine is served unless asked for.' },
  'log.dir': { value: ['./odradek-data'], why: 'Data stays beside the project and survives a restart of the machine.' },
  'offsets.topic.replication.factor': { value: 1, why: oneBroker },
  'transaction.state.log.replication.factor': { value: 1, why: oneBroker },
  'transaction.state.log.min.isr': { value: 1, why: oneBroker },
  'share.coordinator.state.topic.replication.factor': { value: 1, why: oneBroker },
  'share.coordinator.state.topic.min.isr': { value: 1, why: oneBroker },
  'node.id': { value: 1, why: alone },
  'broker.id': { value: 1, why: 'It follows node.id.' },
  'process.roles': { value: ['broker', 'controller'], why: alone },
  'controller.listener.names': { value: [], why: 'The controller lives inside the broker and has no listener.' },
} as const satisfies Partial<Record<BrokerKeyName, { value: unknown; why: string }>>

const table: Table = ourDefaults

/** The default of a broker key in this broker. */
export function defaultOf<N extends BrokerKeyName>(name: N): BrokerValues[N] {
  const ours = table[name]
  // The key's own type and that of its default are the same by declaration.
  return (ours === undefined ? brokerKeys[name].default : ours.value) as BrokerValues[N]
}
