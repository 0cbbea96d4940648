// Broker keys of sockets, listeners, connections and requests.

import { INT_MAX, boolean, int, list, long, oneOf, string } from '../key.ts'

export const networkKeys = {
  'advertised.listeners': list({
    default: null,
    nonEmpty: true,
    works: true,
    doc: 'Addresses handed to clients, by listener name; unset, each client is told the address it connected to.',
  }),
  'connection.failed.authentication.delay.ms': int({
    default: 100,
    min: 0,
    doc: 'How long a connection that failed to authenticate is held before it is closed.',
  }),
  'connections.max.idle.ms': long({
    default: 600_000,
    works: true,
    doc: 'A connection that carried nothing for this long is closed; negative never closes one.',
  }),
  'connections.max.reauth.ms': long({
    default: 0,
    doc: 'Longest life of a SASL session before the client must authenticate again; 0 sets no limit.',
  }),
  'early.start.listeners': list({ default: null, doc: 'Listeners opened before the authorizer is ready.' }),
  'fetch.max.bytes': int({
    default: 57_671_680,
    min: 1024,
    works: true,
    doc: 'Most record bytes one Fetch answer carries, whatever the client asks for.',
  }),
  'inter.broker.listener.name': string({
    default: null,
    works: true,
    doc: "Listener that brokers use among themselves; must name one of the broker's listeners.",
  }),
  'listener.security.protocol.map': string({
    default: 'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
    update: 'broker',
    works: true,
    doc: 'Security protocol of each listener name, as NAME:PROTOCOL pairs.',
  }),
  listeners: list({
    default: ['PLAINTEXT://:9092'],
    nonEmpty: true,
    update: 'broker',
    works: true,
    doc: 'Sockets to open, as NAME://host:port; an empty host or 0.0.0.0 stands for every interface, port 0 for a free port.',
  }),
  'max.connection.creation.rate': int({
    default: INT_MAX,
    min: 0,
    update: 'cluster',
    works: true,
    doc: 'Most new connections per second, measured over quota.window.num samples; faster ones wait to be let in. listener.name.<name>.max.connection.creation.rate is the same for one listener.',
  }),
  'max.connections': int({
    default: INT_MAX,
    min: 0,
    update: 'cluster',
    works: true,
    doc: 'Most connections open at once; further ones wait to be let in. listener.name.<name>.max.connections is the same for one listener.',
  }),
  'max.connections.per.ip': int({
    default: INT_MAX,
    min: 0,
    update: 'cluster',
    works: true,
    doc: 'Most connections open at once from one address; further ones are closed as soon as they are accepted.',
  }),
  'max.connections.per.ip.overrides': string({
    default: '',
    update: 'cluster',
    works: true,
    doc: 'Exceptions from max.connections.per.ip, as address:count pairs.',
  }),
  'max.incremental.fetch.session.cache.slots': int({
    default: 1000,
    min: 0,
    works: true,
    doc: 'Most incremental fetch sessions kept; clients beyond it fetch without a session.',
  }),
  'max.request.partition.size.limit': int({
    default: 2000,
    min: 1,
    works: true,
    doc: 'Most partitions one DescribeTopicPartitions answer lists.',
  }),
  'num.io.threads': int({
    default: 8,
    min: 1,
    update: 'cluster',
    doc: 'Request handler threads in Apache Kafka; Odradek serves requests on one event loop.',
  }),
  'num.network.threads': int({
    default: 3,
    min: 1,
    update: 'cluster',
    doc: 'Network threads in Apache Kafka; Odradek serves sockets on one event loop.',
  }),
  'queued.max.request.bytes': long({
    default: -1,
    works: true,
    doc: 'Most bytes of unfinished requests over all connections; beyond it connections that need more wait, and those that stand still are closed; -1 or 0: a part of odradek.memory.bytes.',
  }),
  'queued.max.requests': int({
    default: 500,
    min: 1,
    doc: "Most requests waiting in Apache Kafka's queue; Odradek bounds each connection instead.",
  }),
  'request.timeout.ms': int({
    default: 30_000,
    doc: 'How long the broker waits for an answer to a request it sent, and the transaction coordinator for its log.',
    works: true,
  }),
  'security.inter.broker.protocol': oneOf(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'], {
    default: 'PLAINTEXT',
    doc: 'Security protocol among brokers when inter.broker.listener.name is not set.',
  }),
  'socket.connection.setup.timeout.max.ms': long({
    default: 30_000,
    doc: 'Upper bound of the growing time-out for opening connections to other nodes.',
  }),
  'socket.connection.setup.timeout.ms': long({
    default: 10_000,
    doc: 'First time-out for opening a connection to another node.',
  }),
  'socket.listen.backlog.size': int({
    default: 50,
    min: 1,
    works: true,
    doc: 'Connections the operating system may hold back before they are accepted; where it is not set, 511.',
  }),
  'socket.receive.buffer.bytes': int({
    default: 102_400,
    doc: 'Size of the socket receive buffer (SO_RCVBUF); Node cannot set it for TCP, the operating system does.',
  }),
  'socket.request.max.bytes': int({
    default: 104_857_600,
    min: 1,
    works: true,
    doc: 'Largest request accepted; a larger one closes the connection.',
  }),
  'socket.send.buffer.bytes': int({
    default: 102_400,
    doc: 'Size of the socket send buffer (SO_SNDBUF); Node cannot set it for TCP, the operating system does.',
  }),
  'unstable.api.versions.enable': boolean({
    default: false,
    internal: true,
    works: true,
    doc: 'Serves versions of APIs that are still in development: InitProducerId 6.',
  }),
  'unstable.feature.versions.enable': boolean({
    default: false,
    internal: true,
    doc: 'Allows feature levels that are still in development.',
  }),
}
