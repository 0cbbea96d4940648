// Broker keys of replication and quotas.

import { LONG_MAX, boolean, className, int, long, string } from '../key.ts'

export const replicationKeys = {
  'delete.records.purgatory.purge.interval.requests': int({
    default: 1,
    doc: 'Purge interval of the waiting DeleteRecords requests in Apache Kafka.',
  }),
  'fetch.purgatory.purge.interval.requests': int({
    default: 1000,
    doc: 'Purge interval of the waiting Fetch requests in Apache Kafka.',
  }),
  'follower.fetch.last.tiered.offset.enable': boolean({
    default: false,
    update: 'cluster',
    doc: 'Lets a new follower start at the first offset that is not in remote storage.',
  }),
  'leader.imbalance.check.interval.seconds': long({
    default: 300,
    min: 1,
    doc: 'How often the controller looks for leaders that are not the preferred replica.',
  }),
  'num.replica.alter.log.dirs.threads': int({
    default: null,
    doc: 'Threads that move partitions between log directories; unset, one per directory.',
  }),
  'num.replica.fetchers': int({
    default: 1,
    min: 1,
    update: 'cluster',
    doc: 'Fetcher threads for each broker that is replicated from.',
  }),
  'producer.purgatory.purge.interval.requests': int({
    default: 1000,
    doc: 'Purge interval of the waiting Produce requests in Apache Kafka.',
  }),
  'replica.fetch.backoff.ms': int({ default: 1000, min: 0, doc: 'Pause of a follower after a failed fetch.' }),
  'replica.fetch.max.bytes': int({ default: 1_048_576, min: 0, doc: 'Bytes a follower asks for in each partition.' }),
  'replica.fetch.min.bytes': int({ default: 1, doc: 'Bytes a follower waits for in one fetch.' }),
  'replica.fetch.response.max.bytes': int({
    default: 10_485_760,
    min: 0,
    doc: 'Bytes a follower asks for in one fetch.',
  }),
  'replica.fetch.wait.max.ms': int({ default: 500, doc: "Longest wait of a follower's fetch." }),
  'replica.high.watermark.checkpoint.interval.ms': long({
    default: 5000,
    doc: 'How often the high watermarks are written to disk.',
  }),
  'replica.lag.time.max.ms': long({
    default: 30_000,
    doc: 'How long a follower may lag before it leaves the set of replicas in sync.',
  }),
  'replica.selector.class': string({ default: null, doc: 'Java class that chooses the replica a client reads from.' }),
  'replica.socket.receive.buffer.bytes': int({ default: 65_536, doc: 'Socket receive buffer of followers.' }),
  'replica.socket.timeout.ms': int({ default: 30_000, doc: 'Socket time-out of followers.' }),
  'share.fetch.purgatory.purge.interval.requests': int({
    default: 1000,
    doc: 'Purge interval of the waiting ShareFetch requests in Apache Kafka.',
  }),
  'alter.log.dirs.replication.quota.window.num': int({
    default: 11,
    min: 1,
    doc: 'Samples kept to measure the rate of moves between log directories.',
  }),
  'alter.log.dirs.replication.quota.window.size.seconds': int({
    default: 1,
    min: 1,
    doc: 'Length of one sample for the rate of moves between log directories.',
  }),
  'client.quota.callback.class': className({ default: null, doc: 'Java class that decides about quotas.' }),
  'quota.window.num': int({
    default: 11,
    min: 1,
    works: true,
    doc: 'Samples kept to measure the rate of new connections.',
  }),
  'quota.window.size.seconds': int({
    default: 1,
    min: 1,
    works: true,
    doc: 'Length of one sample for the rate of new connections, and the longest wait for it.',
  }),
  'replication.quota.window.num': int({ default: 11, min: 1, doc: 'Samples kept to measure replication rates.' }),
  'replication.quota.window.size.seconds': int({
    default: 1,
    min: 1,
    doc: 'Length of one sample for replication rates.',
  }),
  'follower.replication.throttled.rate': long({
    default: LONG_MAX,
    min: 0,
    update: 'cluster',
    dynamicOnly: true,
    works: true,
    doc: 'Most bytes per second that followers here read for throttled replicas; with one broker there are none, so it always holds.',
  }),
  'leader.replication.throttled.rate': long({
    default: LONG_MAX,
    min: 0,
    update: 'cluster',
    dynamicOnly: true,
    works: true,
    doc: 'Most bytes per second that leaders here send to throttled replicas; with one broker there is no replication, so it always holds.',
  }),
  'replica.alter.log.dirs.io.max.bytes.per.second': long({
    default: LONG_MAX,
    min: 0,
    update: 'cluster',
    dynamicOnly: true,
    works: true,
    doc: 'Most bytes per second for moves between log directories.',
  }),
}
