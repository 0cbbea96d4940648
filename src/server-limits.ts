// From Kafka's keys to the limits of the server.
import type { BrokerConfig } from './config/index.ts'
import { defaultLimits, type ServerLimits } from './server/types.ts'

export const serverLimits = (config: BrokerConfig): ServerLimits => ({
  ...defaultLimits,
  maxFrameBytes: config['socket.request.max.bytes'],
  maxRequestBytes: config['odradek.request.max.bytes'],
  maxBufferedBytes: config.memory.receiving,
  maxElements: config['odradek.request.max.elements'],
  maxInFlightRequests: config['odradek.connection.max.requests'],
  maxInFlightBytes: config['odradek.connection.max.bytes'],
  maxBrokerRequests: config['odradek.broker.max.requests'],
  maxBrokerBytes: config.memory.unanswered,
  maxAnswerBytes: config.memory.answers,
  maxIdleMs: config['connections.max.idle.ms'],
  connectionRateWindow: { samples: config['quota.window.num'], windowMs: config['quota.window.size.seconds'] * 1000 },
  interBrokerListener: config.interBrokerListener,
  ...(config.explicit.has('socket.listen.backlog.size') && { maxWaiting: config['socket.listen.backlog.size'] }),
  // These change while the broker runs.
  get maxConnections() {
    return config['max.connections']
  },
  get maxConnectionRate() {
    return config['max.connection.creation.rate']
  },
  get listenerLimits() {
    return config.listenerLimits
  },
  get maxConnectionsPerIp() {
    return config['max.connections.per.ip']
  },
  get maxConnectionsPerIpOverrides() {
    return config.connectionsPerIp
  },
})
