// Listeners: what the broker opens and what it tells its clients, from listeners, advertised.listeners,
// listener.security.protocol.map, controller.listener.names and the flags --listen and --advertise.

import type { BrokerValues } from './keys.ts'
import { ConfigError } from './values.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** One socket that clients connect to. */
export interface Endpoint {
  /** Name of the listener, in capitals. */
  readonly name: string
  readonly protocol: 'PLAINTEXT'
  /** '' stands for every interface; `localhost` for 127.0.0.1 and ::1. */
  readonly host: string
  /** 0 asks the operating system for a free port. */
  readonly port: number
  /** What clients are told; null: the address at which the client reached us. */
  readonly advertised: Address | null
}

interface Listener extends Address {
  readonly name: string
}

export interface ListenerSettings {
  readonly values: Pick<
    BrokerValues,
    | 'listeners'
    | 'advertised.listeners'
    | 'listener.security.protocol.map'
    | 'controller.listener.names'
    | 'inter.broker.listener.name'
    | 'security.inter.broker.protocol'
  >
  /** Names of the keys that were set. */
  readonly explicit: ReadonlySet<string>
  /** --listen, in place of the key listeners. */
  readonly listen: readonly string[]
  /** --advertise, for the listeners in order. */
  readonly advertise: readonly string[]
}

const protocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

/** @throws ConfigError when the keys contradict each other or ask for a protocol that is not served */
export function endpoints(settings: ListenerSettings): { endpoints: Endpoint[]; interBroker: string } {
  const { values, explicit } = settings
  const flags = settings.listen.length > 0
  const controllers = new Set(values['controller.listener.names'].map(name => name.toUpperCase()))
  const all = flags ? settings.listen.map(listenFlag) : values.listeners.map(text => listener('listeners', text))
  checkDistinct(all)
  const mine = flags ? all : all.filter(({ name }) => !controllers.has(name))
  if (mine.length === 0) {
    throw new ConfigError(
      'listeners has no listener for clients; add one that controller.listener.names does not name.',
    )
  }
  if (!flags) {
    const map = protocolMap(values['listener.security.protocol.map'])
    for (const { name } of mine) checkProtocol(name, map.get(name))
  }
  const advertised = advertisedAddresses(settings, mine, controllers)
  return {
    endpoints: mine.map(({ name, host, port }) => ({
      name,
      protocol: 'PLAINTEXT',
      host: host === '0.0.0.0' || host === '::' ? '' : host,
      port,
      advertised: advertised.get(name) ?? null,
    })),
    interBroker: interBroker(values, explicit, mine, flags),
  }
}

/** `NAME://host:port`, `NAME://[::1]:port` or `NAME://:port`. */
function listener(key: string, text: string): Listener {
  const parts = /^([A-Za-z0-9._-]+):\/\/(?:\[([^\]]*)\]|([^:/[\]]*)):(\d+)$/.exec(text)
  const port = Number(parts?.[4] ?? Number.NaN)
  if (parts === null || port > 65_535) {
    throw new ConfigError(`${key} must be NAME://host:port entries, but one is '${text}'.`)
  }
  return { name: parts[1]!.toUpperCase(), host: parts[2] ?? parts[3] ?? '', port }
}

function address(flag: string, text: string): Address {
  const parts = /^(?:\[([^\]]*)\]|([^:/[\]]*)):(\d+)$/.exec(text)
  const port = Number(parts?.[3] ?? Number.NaN)
  if (parts === null || port > 65_535) throw new ConfigError(`${flag} must be host:port, but it is '${text}'.`)
  return { host: parts[1] ?? parts[2] ?? '', port }
}

const listenFlag = (text: string, index: number): Listener => ({
  ...address('--listen', text),
  name: index === 0 ? 'PLAINTEXT' : `PLAINTEXT_${index + 1}`,
})

function protocolMap(text: string): Map<string, string> {
  const map = new Map<string, string>()
  for (const pair of text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')) {
    const [name = '', protocol = ''] = pair.split(':').map(part => part.trim().toUpperCase())
    if (name === '' || !protocols.includes(protocol)) {
      throw new ConfigError(
        `listener.security.protocol.map must be NAME:PROTOCOL pairs with a protocol of ${protocols.join(', ')}, but one is '${pair}'.`,
      )
    }
    map.set(name, protocol)
  }
  return map
}

function checkProtocol(name: string, protocol: string | undefined): void {
  if (protocol === undefined) {
    throw new ConfigError(
      `listener.security.protocol.map has no entry for the listener ${name}; add ${name}:PLAINTEXT.`,
    )
  }
  if (protocol !== 'PLAINTEXT') {
    throw new ConfigError(
      `listeners has ${name} with the protocol ${protocol}, which this version of Odradek does not serve yet; ` +
        `map it to PLAINTEXT in listener.security.protocol.map or remove it.`,
    )
  }
}

/** Kafka's rule: a port once, or twice for an IPv4 and an IPv6 address. */
function checkDistinct(all: readonly Listener[]): void {
  const seen = new Map<string, Listener>()
  const ports = new Map<number, Listener[]>()
  for (const entry of all) {
    if (seen.has(entry.name)) throw new ConfigError(`listeners has two listeners named ${entry.name}; rename one.`)
    seen.set(entry.name, entry)
    if (entry.port !== 0) ports.set(entry.port, [...(ports.get(entry.port) ?? []), entry])
  }
  for (const [port, same] of ports) {
    const families = same.map(({ host }) => (/^[\d.]+$/.test(host) ? 4 : host.includes(':') ? 6 : 0))
    if (same.length > 1 && !(same.length === 2 && families.includes(4) && families.includes(6))) {
      throw new ConfigError(`listeners uses port ${port} more than once; give each listener its own port.`)
    }
  }
}

function advertisedAddresses(
  { values, advertise, listen }: ListenerSettings,
  mine: readonly Listener[],
  controllers: ReadonlySet<string>,
): Map<string, Address> {
  const addresses = new Map<string, Address>()
  for (const text of values['advertised.listeners'] ?? []) {
    const { name, host, port } = listener('advertised.listeners', text)
    if (controllers.has(name)) continue
    const socket = mine.find(entry => entry.name === name)
    if (socket === undefined) {
      // --listen replaced the listeners that the key speaks of.
      if (listen.length > 0) continue
      throw new ConfigError(
        `advertised.listeners names ${name}, which listeners does not have; add it there or remove it.`,
      )
    }
    if (host === '0.0.0.0' || host === '::') throw unroutable('advertised.listeners', host)
    if (host !== '') addresses.set(name, { host, port })
    else if (port !== socket.port) {
      throw new ConfigError(
        `advertised.listeners needs a host in '${text}', because its port is not the one listened on.`,
      )
    }
  }
  if (advertise.length > mine.length)
    throw new ConfigError('--advertise was given more often than there are listeners.')
  for (const [index, text] of advertise.entries()) {
    const { host, port } = address('--advertise', text)
    if (host === '' || host === '0.0.0.0' || host === '::') throw unroutable('--advertise', host)
    addresses.set(mine[index]!.name, { host, port })
  }
  return addresses
}

const unroutable = (key: string, host: string): ConfigError =>
  new ConfigError(`${key} must name a host that clients can connect to, not '${host}'.`)

function interBroker(
  values: ListenerSettings['values'],
  explicit: ReadonlySet<string>,
  mine: readonly Listener[],
  flags: boolean,
): string {
  const named = values['inter.broker.listener.name']
  if (explicit.has('security.inter.broker.protocol')) {
    const protocol = values['security.inter.broker.protocol']
    if (named !== null) {
      throw new ConfigError('Set only one of inter.broker.listener.name and security.inter.broker.protocol.')
    }
    if (protocol !== 'PLAINTEXT') {
      throw new ConfigError(
        `security.inter.broker.protocol=${protocol} is not served by this version of Odradek yet; set it to PLAINTEXT.`,
      )
    }
  }
  const first = mine.find(({ name }) => name === (named ?? 'PLAINTEXT').toUpperCase())
  if (first === undefined && named !== null && !flags) {
    throw new ConfigError(
      `inter.broker.listener.name is ${named}, which listeners does not have for clients; name one of them.`,
    )
  }
  return (first ?? mine[0]!).name
}
