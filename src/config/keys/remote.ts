// Broker keys of tiered storage (KIP-405).

import { LONG_MAX, boolean, double, int, long, string } from '../key.ts'

export const remoteKeys = {
  'remote.fetch.max.wait.ms': int({
    default: 500,
    min: 1,
    update: 'cluster',
    doc: 'Longest wait of a fetch that reads remote storage.',
  }),
  'remote.list.offsets.request.timeout.ms': long({
    default: 30_000,
    min: 1,
    update: 'cluster',
    doc: 'Longest wait of a ListOffsets request that reads remote storage.',
  }),
  'remote.log.index.file.cache.total.size.bytes': long({
    default: 1_073_741_824,
    min: 1,
    update: 'cluster',
    doc: 'Disk space for copies of remote indexes.',
  }),
  'remote.log.index.file.cache.ttl.ms': long({
    default: 900_000,
    min: -1,
    internal: true,
    doc: 'How long an unused copy of a remote index is kept; -1 sets no limit.',
  }),
  'remote.log.manager.copier.thread.pool.size': int({
    default: 10,
    min: 1,
    update: 'cluster',
    doc: 'Threads that copy segments to remote storage.',
  }),
  'remote.log.manager.copy.max.bytes.per.second': long({
    default: LONG_MAX,
    min: 1,
    update: 'cluster',
    doc: 'Most bytes per second copied to remote storage.',
  }),
  'remote.log.manager.copy.quota.window.num': int({
    default: 11,
    min: 1,
    doc: 'Samples kept to measure the rate of copies to remote storage.',
  }),
  'remote.log.manager.copy.quota.window.size.seconds': int({
    default: 1,
    min: 1,
    doc: 'Length of one sample for the rate of copies to remote storage.',
  }),
  'remote.log.manager.expiration.thread.pool.size': int({
    default: 10,
    min: 1,
    update: 'cluster',
    doc: 'Threads that remove expired remote segments.',
  }),
  'remote.log.manager.fetch.max.bytes.per.second': long({
    default: LONG_MAX,
    min: 1,
    update: 'cluster',
    doc: 'Most bytes per second read from remote storage.',
  }),
  'remote.log.manager.fetch.quota.window.num': int({
    default: 11,
    min: 1,
    doc: 'Samples kept to measure the rate of reads from remote storage.',
  }),
  'remote.log.manager.fetch.quota.window.size.seconds': int({
    default: 1,
    min: 1,
    doc: 'Length of one sample for the rate of reads from remote storage.',
  }),
  'remote.log.manager.follower.thread.pool.size': int({
    default: 2,
    min: 1,
    update: 'cluster',
    doc: 'Threads that follow remote segments for partitions led elsewhere.',
  }),
  'remote.log.manager.task.interval.ms': long({
    default: 30_000,
    min: 1,
    doc: 'How often remote copy and expiry tasks run.',
  }),
  'remote.log.manager.task.retry.backoff.max.ms': long({
    default: 30_000,
    min: 1,
    internal: true,
    doc: 'Longest pause before a failed remote request is repeated.',
  }),
  'remote.log.manager.task.retry.backoff.ms': long({
    default: 500,
    min: 1,
    internal: true,
    doc: 'First pause before a failed remote request is repeated.',
  }),
  'remote.log.manager.task.retry.jitter': double({
    default: 0.2,
    min: 0,
    max: 0.5,
    internal: true,
    doc: 'Random part of the pause before a failed remote request is repeated.',
  }),
  'remote.log.manager.thread.pool.size': int({ default: 2, min: 1, doc: 'Threads for remote tasks, older key.' }),
  'remote.log.metadata.custom.metadata.max.bytes': int({
    default: 128,
    min: 0,
    doc: 'Most bytes of custom metadata a storage plug-in may attach to a segment.',
  }),
  'remote.log.metadata.manager.class.name': string({
    default: 'org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager',
    nonEmpty: true,
    doc: 'Java class that keeps the metadata of remote segments.',
  }),
  'remote.log.metadata.manager.class.path': string({ default: null, doc: 'Class path of the remote metadata class.' }),
  'remote.log.metadata.manager.impl.prefix': string({
    default: 'rlmm.config.',
    nonEmpty: true,
    doc: 'Prefix of the settings handed to the remote metadata class.',
  }),
  'remote.log.metadata.manager.listener.name': string({
    default: null,
    nonEmpty: true,
    doc: 'Listener that the remote metadata class connects to.',
  }),
  'remote.log.reader.max.pending.tasks': int({ default: 100, min: 1, doc: 'Most remote reads that may wait.' }),
  'remote.log.reader.threads': int({
    default: 10,
    min: 1,
    update: 'cluster',
    doc: 'Threads that read remote storage.',
  }),
  'remote.log.storage.manager.class.name': string({
    default: null,
    nonEmpty: true,
    doc: 'Java class that stores remote segments.',
  }),
  'remote.log.storage.manager.class.path': string({ default: null, doc: 'Class path of the remote storage class.' }),
  'remote.log.storage.manager.impl.prefix': string({
    default: 'rsm.config.',
    nonEmpty: true,
    doc: 'Prefix of the settings handed to the remote storage class.',
  }),
  'remote.log.storage.system.enable': boolean({
    default: false,
    notYet: ['true'],
    doc: 'Turns tiered storage on; not available yet.',
  }),
}
