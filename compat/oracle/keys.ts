// The configuration that both sides run with, and where each of its keys comes from.

/** The plugin of java/Receiver.java. */
export const RECEIVER = 'oracle.Receiver'

/** Told to Apache Kafka in its properties file and to our broker as flags. */
export const sharedKeys: Readonly<Record<string, string>> = {
  'node.id': '1',
  // Kafka asks for more replicas than one broker can hold.
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  // Fewer files on both sides.
  'offsets.topic.num.partitions': '3',
  'transaction.state.log.num.partitions': '3',
  'share.coordinator.state.topic.num.partitions': '3',
  // Rebalances and expiries that a test can wait for.
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '300',
  'group.max.session.timeout.ms': '60000',
  'group.max.size': '3',
  // Kafka serves client telemetry only where a plugin takes it; ours needs none.
  'metric.reporters': `org.apache.kafka.common.metrics.JmxReporter,${RECEIVER}`,
  // InitProducerId 6.
  'unstable.api.versions.enable': 'true',
  // Records have times long past, and must stay.
  'log.retention.ms': '-1',
}

/** Keys that ours alone is given: durability is not what is compared here, speed is welcome. */
export const ourKeys: Readonly<Record<string, string>> = { 'odradek.flush.on.acks.all': 'false' }

/** The judge of everything it serves. */
export const NEWEST = '4.3.1'
/** The judge of the versions that the newest has dropped. */
export const OLDEST = '3.9.1'
export const judges = [NEWEST, OLDEST] as const
export type Judge = (typeof judges)[number]
