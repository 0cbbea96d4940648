// Keys of a group (config resource GROUP).

import { OFFSET_RESET, boolean, int, list, long, oneOf, same, string } from '../key.ts'

export const groupKeys = {
  'consumer.assignment.interval.ms': int({
    default: 1000,
    min: 0,
    doc: 'Shortest time between two assignments of this consumer group.',
  }),
  'consumer.assignor.offload.enable': boolean({
    default: true,
    internal: true,
    doc: "Computes assignments of this consumer group off the coordinator's thread.",
  }),
  'consumer.heartbeat.interval.ms': int({
    default: 5000,
    min: 1,
    doc: 'Heartbeat interval told to members of this consumer group.',
  }),
  'consumer.session.timeout.ms': int({
    default: 45_000,
    min: 1,
    doc: 'Session time-out of members of this consumer group.',
  }),
  'errors.deadletterqueue.copy.record.enable': boolean({
    default: false,
    doc: 'Copies whole records, not only their origin, to the dead letter topic.',
  }),
  'errors.deadletterqueue.topic.name': string({
    default: '',
    doc: 'Dead letter topic of this share group; empty means none.',
  }),
  'share.assignment.interval.ms': int({
    default: 1000,
    min: 0,
    doc: 'Shortest time between two assignments of this share group.',
  }),
  'share.assignor.offload.enable': boolean({
    default: true,
    internal: true,
    doc: "Computes assignments of this share group off the coordinator's thread.",
  }),
  'share.auto.offset.reset': string({
    default: 'latest',
    pattern: OFFSET_RESET,
    doc: 'Where this share group starts: earliest, latest or by_duration:PnDTnHnMn.nS.',
  }),
  'share.delivery.count.limit': int({
    default: 5,
    min: 2,
    doc: 'How often a record is delivered to this share group before it counts as failed.',
  }),
  'share.heartbeat.interval.ms': int({
    default: 5000,
    min: 1,
    doc: 'Heartbeat interval told to members of this share group.',
  }),
  'share.isolation.level': oneOf(['read_committed', 'read_uncommitted'], {
    default: 'read_uncommitted',
    doc: 'Whether this share group sees records of transactions that were not committed.',
  }),
  'share.partition.max.record.locks': int({
    default: 2000,
    min: 100,
    doc: 'Most records of one partition that this share group may hold locked.',
  }),
  'share.record.lock.duration.ms': int({
    default: 30_000,
    min: 1000,
    doc: 'How long a delivered record stays locked for its consumer.',
  }),
  'share.renew.acknowledge.enable': boolean({
    default: true,
    doc: 'Lets consumers of this share group extend the lock of a record.',
  }),
  'share.session.timeout.ms': int({ default: 45_000, min: 1, doc: 'Session time-out of members of this share group.' }),
  'streams.acceptable.recovery.lag': long({
    default: 10_000,
    min: 0,
    internal: true,
    doc: 'Lag up to which a task of this streams group counts as caught up.',
  }),
  'streams.assignment.interval.ms': int({
    default: 1000,
    min: 0,
    doc: 'Shortest time between two assignments of this streams group.',
  }),
  'streams.assignor.name': string({
    default: null,
    broker: [same('group.streams.assignors')],
    doc: "Task assignor of this streams group; unset, the broker's first one.",
  }),
  'streams.assignor.offload.enable': boolean({
    default: true,
    internal: true,
    doc: "Computes assignments of this streams group off the coordinator's thread.",
  }),
  'streams.heartbeat.interval.ms': int({
    default: 5000,
    min: 1,
    doc: 'Heartbeat interval told to members of this streams group.',
  }),
  'streams.initial.rebalance.delay.ms': int({
    default: 3000,
    min: 0,
    doc: 'How long the first rebalance of this streams group waits for more members.',
  }),
  'streams.num.standby.replicas': int({
    default: 0,
    min: 0,
    doc: 'Standby replicas of each stateful task of this streams group.',
  }),
  'streams.num.warmup.replicas': int({
    default: 2,
    min: 0,
    internal: true,
    doc: 'Warm-up replicas this streams group may have at once.',
  }),
  'streams.rack.aware.assignment.tags': list({
    default: [],
    doc: 'Client tags by which standby replicas of this streams group are spread.',
  }),
  'streams.session.timeout.ms': int({
    default: 45_000,
    min: 1,
    doc: 'Session time-out of members of this streams group.',
  }),
  'streams.task.offset.interval.ms': int({
    default: 60_000,
    min: 1,
    internal: true,
    doc: 'How often members of this streams group report their task offsets.',
  }),
}
