// Broker keys of share groups (KIP-932) and their coordinator.

import { boolean, int, list, short, string } from '../key.ts'

export const shareKeys = {
  'errors.deadletterqueue.auto.create.topics.enable': boolean({
    default: false,
    update: 'cluster',
    doc: 'Creates the dead letter topics of share groups when they are missing.',
  }),
  'errors.deadletterqueue.topic.name.prefix': string({
    default: 'dlq.',
    update: 'cluster',
    doc: 'Prefix that names of dead letter topics must have.',
  }),
  'group.share.assignment.interval.ms': int({
    default: 1000,
    min: 0,
    update: 'cluster',
    doc: 'Shortest time between two assignments of a share group.',
  }),
  'group.share.assignor.offload.enable': boolean({
    default: true,
    internal: true,
    update: 'cluster',
    doc: "Computes assignments of share groups off the coordinator's thread.",
  }),
  'group.share.assignors': list({ default: ['simple'], nonEmpty: true, doc: 'Assignors of share groups.' }),
  'group.share.delivery.count.limit': int({
    default: 5,
    min: 2,
    max: 10,
    doc: 'How often a record is delivered to a share group before it counts as failed.',
  }),
  'group.share.dlq.manager.class.name': string({
    default: 'org.apache.kafka.server.share.dlq.DefaultShareGroupDLQManager',
    internal: true,
    doc: 'Java class that writes dead letters of share groups.',
  }),
  'group.share.heartbeat.interval.ms': int({
    default: 5000,
    min: 1,
    doc: 'Heartbeat interval told to members of share groups.',
  }),
  'group.share.initialize.retry.interval.ms': int({
    default: 30_000,
    min: 1,
    internal: true,
    doc: 'Pause before the state of a share partition is initialised again after a failure.',
  }),
  'group.share.max.assignment.interval.ms': int({
    default: 15_000,
    min: 0,
    doc: "Upper bound of a share group's own assignment interval.",
  }),
  'group.share.max.delivery.count.limit': int({
    default: 10,
    min: 5,
    max: 25,
    doc: "Upper bound of a share group's own delivery count.",
  }),
  'group.share.max.heartbeat.interval.ms': int({
    default: 15_000,
    min: 1,
    doc: "Upper bound of a share group's own heartbeat interval.",
  }),
  'group.share.max.partition.max.record.locks': int({
    default: 4000,
    min: 2000,
    max: 10_000,
    doc: "Upper bound of a share group's own limit of locked records.",
  }),
  'group.share.max.record.lock.duration.ms': int({
    default: 60_000,
    min: 30_000,
    max: 3_600_000,
    doc: "Upper bound of a share group's own lock time.",
  }),
  'group.share.max.session.timeout.ms': int({
    default: 60_000,
    min: 1,
    doc: "Upper bound of a share group's own session time-out.",
  }),
  'group.share.max.share.sessions': int({ default: 2000, min: 1, doc: 'Most share sessions a broker keeps.' }),
  'group.share.max.size': int({ default: 200, min: 1, max: 1000, doc: 'Most members of one share group.' }),
  'group.share.min.assignment.interval.ms': int({
    default: 0,
    min: 0,
    doc: "Lower bound of a share group's own assignment interval.",
  }),
  'group.share.min.delivery.count.limit': int({
    default: 2,
    min: 2,
    max: 5,
    doc: "Lower bound of a share group's own delivery count.",
  }),
  'group.share.min.heartbeat.interval.ms': int({
    default: 5000,
    min: 1,
    doc: "Lower bound of a share group's own heartbeat interval.",
  }),
  'group.share.min.partition.max.record.locks': int({
    default: 100,
    min: 100,
    max: 2000,
    doc: "Lower bound of a share group's own limit of locked records.",
  }),
  'group.share.min.record.lock.duration.ms': int({
    default: 15_000,
    min: 1000,
    max: 30_000,
    doc: "Lower bound of a share group's own lock time.",
  }),
  'group.share.min.session.timeout.ms': int({
    default: 45_000,
    min: 1,
    doc: "Lower bound of a share group's own session time-out.",
  }),
  'group.share.partition.max.record.locks': int({
    default: 2000,
    min: 100,
    max: 10_000,
    doc: 'Most records of one partition that a share group may hold locked.',
  }),
  'group.share.persister.class.name': string({
    default: 'org.apache.kafka.server.share.persister.DefaultStatePersister',
    internal: true,
    doc: 'Java class that keeps the state of share groups.',
  }),
  'group.share.record.lock.duration.ms': int({
    default: 30_000,
    min: 1000,
    max: 3_600_000,
    doc: 'How long a delivered record stays locked for its consumer.',
  }),
  'group.share.session.timeout.ms': int({
    default: 45_000,
    min: 1,
    doc: 'Session time-out of members of share groups.',
  }),
  'share.coordinator.append.linger.ms': int({
    default: -1,
    min: -1,
    doc: 'How long the share coordinator gathers records before it writes them; -1 adapts to the load.',
  }),
  'share.coordinator.cached.buffer.max.bytes': int({
    default: 1_048_588,
    min: 524_288,
    update: 'cluster',
    doc: 'Largest write buffer that the share coordinator keeps for the next write.',
  }),
  'share.coordinator.cold.partition.snapshot.interval.ms': int({
    default: 300_000,
    min: 1,
    internal: true,
    doc: 'How often share partitions without changes get a snapshot.',
  }),
  'share.coordinator.load.buffer.size': int({
    default: 5_242_880,
    min: 1,
    doc: 'Bytes read at once when the share coordinator loads its partition.',
  }),
  'share.coordinator.snapshot.update.records.per.snapshot': int({
    default: 500,
    min: 0,
    max: 500,
    doc: 'Update records written between two snapshots of a share partition.',
  }),
  'share.coordinator.state.topic.compression.codec': int({
    default: 0,
    doc: 'Codec id for writes to the share state topic.',
  }),
  'share.coordinator.state.topic.min.isr': short({
    default: 2,
    min: 1,
    doc: 'Replicas in sync that a write to the share state topic needs.',
  }),
  'share.coordinator.state.topic.num.partitions': int({
    default: 50,
    min: 1,
    doc: 'Partitions of the share state topic; not to be changed once it exists.',
  }),
  'share.coordinator.state.topic.prune.interval.ms': int({
    default: 300_000,
    min: 1,
    internal: true,
    doc: 'How often old records of the share state topic are removed.',
  }),
  'share.coordinator.state.topic.replication.factor': short({
    default: 3,
    min: 1,
    doc: 'Replicas of the share state topic.',
  }),
  'share.coordinator.state.topic.segment.bytes': int({
    default: 104_857_600,
    min: 1,
    doc: 'Segment size of the share state topic.',
  }),
  'share.coordinator.threads': int({ default: 1, min: 1, doc: 'Threads of the share coordinator in Apache Kafka.' }),
  'share.coordinator.write.timeout.ms': int({
    default: 5000,
    min: 1,
    doc: 'How long a write of the share coordinator may wait for its replicas.',
  }),
}
