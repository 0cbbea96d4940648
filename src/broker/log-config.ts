// From a topic's configuration, in Kafka's names, to what its logs obey.
import type { LogConfig } from '../../storage/log-config.ts'
import type { BrokerConfig, TopicConfig } from '../config/index.ts'

const LEVEL_KEYS = { gzip: 'compression.gzip.level', zstd: 'compression.zstd.level' } as const

export function logConfig(topic: TopicConfig, broker: BrokerConfig): LogConfig {
  const compressionType = topic['compression.type']
  const levelKey = compressionType === 'gzip' || compressionType === 'zstd' ? LEVEL_KEYS[compressionType] : null
  return {
    segmentBytes: topic['internal.segment.bytes'] ?? topic['segment.bytes'],
    segmentMs: topic['segment.ms'],
    segmentJitterMs: topic['segment.jitter.ms'],
    segmentIndexBytes: topic['segment.index.bytes'],
    indexIntervalBytes: topic['index.interval.bytes'],
    retentionMs: topic['retention.ms'],
    retentionBytes: topic['retention.bytes'],
    maxMessageBytes: topic['max.message.bytes'],
    flushMessages: topic['flush.messages'],
    flushMs: topic['flush.ms'],
    fileDeleteDelayMs: topic['file.delete.delay.ms'],
    timestampType: topic['message.timestamp.type'],
    timestampBeforeMaxMs: topic['message.timestamp.before.max.ms'],
    timestampAfterMaxMs: topic['message.timestamp.after.max.ms'],
    compressionType,
    ...(levelKey && { compressionLevel: topic[levelKey] }),
    cleanupPolicy: {
      compact: topic['cleanup.policy'].includes('compact'),
      delete: topic['cleanup.policy'].includes('delete'),
    },
    producerIdExpirationMs: broker['producer.id.expiration.ms'],
    validateCompressed: broker['odradek.validate.compressed'],
  }
}
