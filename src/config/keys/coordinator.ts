// Broker keys of the group coordinator: classic and consumer groups, committed offsets.

import { INT_MAX, boolean, int, list, long, short, string } from '../key.ts'

export const coordinatorKeys = {
  'group.consumer.assignment.interval.ms': int({
    default: 1000,
    min: 0,
    update: 'cluster',
    doc: 'Shortest time between two assignments of a consumer group.',
  }),
  'group.consumer.assignor.offload.enable': boolean({
    default: true,
    internal: true,
    update: 'cluster',
    doc: "Computes assignments of consumer groups off the coordinator's thread.",
  }),
  'group.consumer.assignors': list({
    default: ['uniform', 'range'],
    nonEmpty: true,
    doc: 'Assignors of the consumer protocol; the first is the default.',
  }),
  'group.consumer.heartbeat.interval.ms': int({
    default: 5000,
    min: 1,
    doc: 'Heartbeat interval told to members of consumer groups.',
  }),
  'group.consumer.max.assignment.interval.ms': int({
    default: 15_000,
    min: 0,
    doc: "Upper bound of a consumer group's own assignment interval.",
  }),
  'group.consumer.max.heartbeat.interval.ms': int({
    default: 15_000,
    min: 1,
    doc: "Upper bound of a consumer group's own heartbeat interval.",
  }),
  'group.consumer.max.session.timeout.ms': int({
    default: 60_000,
    min: 1,
    doc: "Upper bound of a consumer group's own session time-out.",
  }),
  'group.consumer.max.size': int({ default: INT_MAX, min: 1, doc: 'Most members of one consumer group.' }),
  'group.consumer.migration.policy': string({
    default: 'bidirectional',
    values: ['disabled', 'downgrade', 'upgrade', 'bidirectional'],
    ignoreCase: true,
    doc: 'Which groups may change between the classic and the consumer protocol.',
  }),
  'group.consumer.min.assignment.interval.ms': int({
    default: 0,
    min: 0,
    doc: "Lower bound of a consumer group's own assignment interval.",
  }),
  'group.consumer.min.heartbeat.interval.ms': int({
    default: 5000,
    min: 1,
    doc: "Lower bound of a consumer group's own heartbeat interval.",
  }),
  'group.consumer.min.session.timeout.ms': int({
    default: 45_000,
    min: 1,
    doc: "Lower bound of a consumer group's own session time-out.",
  }),
  'group.consumer.regex.refresh.interval.ms': int({
    default: 600_000,
    min: 10_000,
    internal: true,
    doc: 'How often the topics behind a regular expression are looked up again.',
  }),
  'group.consumer.session.timeout.ms': int({
    default: 45_000,
    min: 1,
    doc: 'Session time-out of members of consumer groups.',
  }),
  'group.coordinator.append.linger.ms': int({
    default: -1,
    min: -1,
    doc: 'How long a coordinator gathers records before it writes them; -1 adapts to the load.',
  }),
  'group.coordinator.background.threads': int({
    default: 2,
    min: 1,
    doc: 'Threads for assignments and other background work of group coordinators.',
  }),
  'group.coordinator.cached.buffer.max.bytes': int({
    default: 1_048_588,
    min: 524_288,
    update: 'cluster',
    doc: 'Largest write buffer that a group coordinator keeps for the next write.',
  }),
  'group.coordinator.rebalance.protocols': list({
    default: ['classic', 'consumer', 'streams'],
    values: ['consumer', 'classic', 'share', 'streams'],
    nonEmpty: true,
    doc: 'Group protocols in use; classic can not be left out.',
  }),
  'group.coordinator.threads': int({ default: 4, min: 1, doc: 'Threads of the group coordinators in Apache Kafka.' }),
  'group.initial.rebalance.delay.ms': int({
    default: 3000,
    works: true,
    doc: 'How long the first rebalance of an empty group waits for more members.',
  }),
  'group.max.session.timeout.ms': int({
    default: 1_800_000,
    works: true,
    doc: 'Longest session time-out a classic member may ask for.',
  }),
  'group.max.size': int({
    default: INT_MAX,
    min: 1,
    works: true,
    doc: 'Most members of one classic group; further ones get GROUP_MAX_SIZE_REACHED.',
  }),
  'group.min.session.timeout.ms': int({
    default: 6000,
    works: true,
    doc: 'Shortest session time-out a classic member may ask for.',
  }),
  'offset.metadata.max.bytes': int({ default: 4096, works: true, doc: 'Longest metadata text of an offset commit.' }),
  'offsets.commit.timeout.ms': int({
    default: 5000,
    min: 1,
    works: true,
    doc: 'How long an offset commit may wait for its replicas.',
  }),
  'offsets.load.buffer.size': int({
    default: 5_242_880,
    min: 1,
    works: true,
    doc: 'Bytes read at once when a coordinator loads its partition; a larger batch is read whole.',
  }),
  'offsets.retention.check.interval.ms': long({
    default: 600_000,
    min: 1,
    works: true,
    doc: 'How often expired offsets are looked for.',
  }),
  'offsets.retention.minutes': int({
    default: 10_080,
    min: 1,
    works: true,
    doc: 'How long committed offsets are kept after their group became empty.',
  }),
  'offsets.topic.compression.codec': int({
    default: 0,
    works: true,
    doc: 'Codec of what is written to the offsets topic: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.',
  }),
  'offsets.topic.num.partitions': int({
    default: 50,
    min: 1,
    works: true,
    doc: 'Partitions of the offsets topic; not to be changed once it exists.',
  }),
  'offsets.topic.replication.factor': short({ default: 3, min: 1, works: true, doc: 'Replicas of the offsets topic.' }),
  'offsets.topic.segment.bytes': int({
    default: 104_857_600,
    min: 1,
    works: true,
    doc: 'Segment size of the offsets topic.',
  }),
}
