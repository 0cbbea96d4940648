// The listener of the controller as the quorum is told of it (KIP-853). The controller lives inside the broker, and nothing
// listens there: a properties file of Apache Kafka's may name one all the same, and Kafka asks for it where it takes over.
import type { Broker, ReachedAt } from '../broker/broker.ts'

export interface NamedAddress {
  readonly name: string
  readonly host: string
  readonly port: number
}

const USUAL_NAME = 'CONTROLLER'
/** They tell nobody where to go. */
const EVERY_INTERFACE = new Set(['', '0.0.0.0', '::'])

/** controller.listener.names begins with it; else what the recorded voters call it, else what Kafka's own files do. */
export function controllerListenerName({ config, metadata }: Broker): string {
  const [configured] = config['controller.listener.names']
  const recorded = metadata.quorum.voters?.[0]?.endpoints[0]?.name
  return configured?.toUpperCase() ?? recorded ?? USUAL_NAME
}

/** As `listeners` has it; where that says nothing, the address by which the broker itself is reached. */
export function controllerListener(broker: Broker, connection: ReachedAt): NamedAddress {
  const name = controllerListenerName(broker)
  const [{ host, port }] = broker.nodes(connection)
  for (const text of broker.config.listeners) {
    const [, of, bracketed, plain, at] = /^([^:]+):\/\/(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(text) ?? []
    if (of?.toUpperCase() !== name) continue
    const given = bracketed || plain || ''
    return { name, host: EVERY_INTERFACE.has(given) ? host : given, port: Number(at) || port }
  }
  return { name, host, port }
}
