// Broker keys of the node itself and of topic creation.

import { LONG_MAX, boolean, className, int, list, long, string } from '../key.ts'

export const generalKeys = {
  'alter.config.policy.class.name': className({
    default: null,
    doc: 'Java class that judges configuration changes; Odradek does not load Java classes.',
  }),
  'auto.create.topics.enable': boolean({
    default: true,
    works: true,
    doc: 'Creates a topic when a client asks for its metadata and allows creation.',
  }),
  'auto.leader.rebalance.enable': boolean({
    default: true,
    doc: 'Moves leadership back to preferred replicas from time to time.',
  }),
  'background.threads': int({
    default: 10,
    min: 1,
    update: 'cluster',
    doc: 'Threads for background work in Apache Kafka.',
  }),
  'broker.heartbeat.interval.ms': int({ default: 2000, doc: 'Time between heartbeats of a broker to the controller.' }),
  'broker.id': int({ default: -1, works: true, doc: 'Older name of node.id; both must agree when both are set.' }),
  'broker.rack': string({ default: null, works: true, doc: 'Rack of this broker, told to clients in Metadata.' }),
  'broker.session.timeout.ms': int({
    default: 9000,
    doc: 'How long a broker may be silent before the controller fences it.',
  }),
  'config.providers': list({
    default: [],
    update: 'cluster',
    doc: 'Names of providers for values that are looked up elsewhere; not supported, so it must stay empty.',
  }),
  'controlled.shutdown.enable': boolean({ default: true, doc: 'Moves leadership away before a broker stops.' }),
  'create.topic.policy.class.name': className({
    default: null,
    doc: 'Java class that judges topic creation; Odradek does not load Java classes.',
  }),
  'default.replication.factor': int({
    default: 1,
    works: true,
    doc: 'Replicas of topics created automatically or with replication factor -1.',
  }),
  'delete.topic.enable': boolean({
    default: true,
    works: true,
    doc: 'Allows topics to be deleted; false answers TOPIC_DELETION_DISABLED.',
  }),
  'initial.broker.registration.timeout.ms': int({
    default: 60_000,
    doc: 'How long a broker waits at start for its first registration.',
  }),
  'node.id': int({
    default: 1,
    kafkaRequires: true,
    min: 0,
    works: true,
    doc: 'Id of this broker, kept in meta.properties of its data directory.',
  }),
  'num.partitions': int({
    default: 1,
    min: 1,
    works: true,
    doc: 'Partitions of topics created automatically or without a number.',
  }),
  'process.roles': list({
    default: ['broker', 'controller'],
    kafkaRequires: true,
    values: ['broker', 'controller'],
    nonEmpty: true,
    works: true,
    doc: 'Roles of this node; it must contain broker, and the controller lives inside the broker in any case.',
  }),
  'server.max.startup.time.ms': long({
    default: LONG_MAX,
    min: 0,
    internal: true,
    doc: 'Longest time a start may take before it is given up.',
  }),
  'telemetry.max.bytes': int({
    default: 1_048_576,
    min: 1,
    works: true,
    doc: 'Largest batch of client metrics accepted, compressed and not.',
  }),
  'unclean.leader.election.enable': boolean({
    default: false,
    update: 'cluster',
    works: true,
    doc: 'Lets a replica that is not in sync become leader; with one broker there is never another replica.',
  }),
  'unclean.leader.election.interval.ms': long({
    default: 300_000,
    min: 1,
    internal: true,
    doc: 'How often the controller looks for partitions that need an unclean election.',
  }),
}
