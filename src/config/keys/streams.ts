// Broker keys of streams groups (KIP-1071).

import { INT_MAX, boolean, className, int, list, long } from '../key.ts'

export const streamsKeys = {
  'group.streams.acceptable.recovery.lag': long({
    default: 10_000,
    min: 0,
    internal: true,
    doc: 'Lag up to which a streams task counts as caught up.',
  }),
  'group.streams.assignment.interval.ms': int({
    default: 1000,
    min: 0,
    update: 'cluster',
    doc: 'Shortest time between two assignments of a streams group.',
  }),
  'group.streams.assignor.offload.enable': boolean({
    default: true,
    internal: true,
    update: 'cluster',
    doc: "Computes assignments of streams groups off the coordinator's thread.",
  }),
  'group.streams.assignors': list({
    default: ['sticky'],
    nonEmpty: true,
    doc: 'Task assignors of streams groups; the first is the default.',
  }),
  'group.streams.heartbeat.interval.ms': int({
    default: 5000,
    min: 1,
    doc: 'Heartbeat interval told to members of streams groups.',
  }),
  'group.streams.initial.rebalance.delay.ms': int({
    default: 3000,
    min: 0,
    doc: 'How long the first rebalance of a streams group waits for more members.',
  }),
  'group.streams.max.assignment.interval.ms': int({
    default: 15_000,
    min: 0,
    doc: "Upper bound of a streams group's own assignment interval.",
  }),
  'group.streams.max.heartbeat.interval.ms': int({
    default: 15_000,
    min: 1,
    doc: "Upper bound of a streams group's own heartbeat interval.",
  }),
  'group.streams.max.session.timeout.ms': int({
    default: 60_000,
    min: 1,
    doc: "Upper bound of a streams group's own session time-out.",
  }),
  'group.streams.max.size': int({ default: INT_MAX, min: 1, doc: 'Most members of one streams group.' }),
  'group.streams.max.standby.replicas': int({
    default: 2,
    min: 0,
    doc: "Upper bound of a streams group's own number of standby replicas.",
  }),
  'group.streams.max.warmup.replicas': int({
    default: 20,
    min: 0,
    internal: true,
    doc: "Upper bound of a streams group's own number of warm-up replicas.",
  }),
  'group.streams.min.assignment.interval.ms': int({
    default: 0,
    min: 0,
    doc: "Lower bound of a streams group's own assignment interval.",
  }),
  'group.streams.min.heartbeat.interval.ms': int({
    default: 5000,
    min: 1,
    doc: "Lower bound of a streams group's own heartbeat interval.",
  }),
  'group.streams.min.session.timeout.ms': int({
    default: 45_000,
    min: 1,
    doc: "Lower bound of a streams group's own session time-out.",
  }),
  'group.streams.min.task.offset.interval.ms': int({
    default: 15_000,
    min: 1,
    internal: true,
    doc: "Lower bound of a streams group's own task offset interval.",
  }),
  'group.streams.num.standby.replicas': int({
    default: 0,
    min: 0,
    doc: 'Standby replicas of each stateful streams task.',
  }),
  'group.streams.num.warmup.replicas': int({
    default: 2,
    min: 0,
    internal: true,
    doc: 'Warm-up replicas a streams group may have at once.',
  }),
  'group.streams.rack.aware.assignment.tags': list({
    default: [],
    doc: 'Client tags by which standby replicas are spread.',
  }),
  'group.streams.session.timeout.ms': int({
    default: 45_000,
    min: 1,
    doc: 'Session time-out of members of streams groups.',
  }),
  'group.streams.task.offset.interval.ms': int({
    default: 60_000,
    min: 1,
    internal: true,
    doc: 'How often members of streams groups report their task offsets.',
  }),
  'group.streams.topology.description.plugin.class': className({
    default: null,
    doc: 'Java class that describes topologies of streams groups.',
  }),
}
