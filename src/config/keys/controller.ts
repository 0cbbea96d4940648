// Broker keys of the controller quorum and the metadata log.

import { boolean, int, list, long, string } from '../key.ts'

export const controllerKeys = {
  'controller.listener.names': list({
    default: [],
    kafkaRequires: true,
    nonEmpty: true,
    works: true,
    doc: 'Listeners of the controller; they are accepted and not opened, the controller lives inside the broker.',
  }),
  'controller.performance.always.log.threshold.ms': long({
    default: 2000,
    min: 0,
    internal: true,
    doc: 'Controller events slower than this are always logged.',
  }),
  'controller.performance.sample.period.ms': long({
    default: 60_000,
    min: 100,
    internal: true,
    doc: "Time between reports on the controller's slowest events.",
  }),
  'controller.quorum.append.linger.ms': int({
    default: 25,
    min: 0,
    doc: 'How long the quorum leader gathers records before it writes them.',
  }),
  'controller.quorum.auto.join.enable': boolean({
    default: false,
    doc: 'Lets a controller join the quorum by itself.',
  }),
  'controller.quorum.bootstrap.servers': list({
    default: [],
    doc: 'Addresses at which the controller quorum is first asked; not used, the controller lives inside the broker.',
  }),
  'controller.quorum.election.backoff.max.ms': int({
    default: 1000,
    min: 0,
    doc: 'Longest pause before a new election of the quorum.',
  }),
  'controller.quorum.election.timeout.ms': int({
    default: 1000,
    min: 0,
    doc: 'How long a candidate waits for votes before it tries again.',
  }),
  'controller.quorum.fetch.max.bytes': int({
    default: 1_048_576,
    min: 1,
    doc: 'Most bytes of one fetch between quorum members.',
  }),
  'controller.quorum.fetch.snapshot.max.bytes': int({
    default: 1_048_576,
    min: 1,
    doc: 'Most bytes of one snapshot fetch between quorum members.',
  }),
  'controller.quorum.fetch.timeout.ms': int({
    default: 2000,
    min: 0,
    doc: 'How long a quorum member goes without a fetch from the leader before it calls an election.',
  }),
  'controller.quorum.request.timeout.ms': int({
    default: 2000,
    min: 0,
    doc: 'How long a quorum member waits for an answer before it asks again.',
  }),
  'controller.quorum.retry.backoff.ms': int({ default: 20, min: 0, doc: 'Pause before a quorum request is repeated.' }),
  'controller.quorum.voters': list({
    default: [],
    doc: 'Members of a static controller quorum, as id@host:port; not used, the controller lives inside the broker.',
  }),
  'controller.quota.window.num': int({
    default: 11,
    min: 1,
    doc: 'Samples kept to measure the rate of controller mutations.',
  }),
  'controller.quota.window.size.seconds': int({
    default: 1,
    min: 1,
    doc: 'Length of one sample for the rate of controller mutations.',
  }),
  'controller.socket.timeout.ms': int({ default: 30_000, doc: 'Socket time-out between broker and controller.' }),
  'internal.metadata.delete.delay.millis': long({
    default: 60_000,
    internal: true,
    works: true,
    doc: 'How long deleted metadata files stay on disk.',
  }),
  'internal.metadata.log.segment.bytes': int({
    default: null,
    internal: true,
    works: true,
    doc: 'Segment size of the metadata log in tests.',
  }),
  'internal.metadata.max.batch.size.in.bytes': int({
    default: 8_388_608,
    internal: true,
    doc: 'Largest batch of metadata records.',
  }),
  'metadata.log.dir': string({
    default: null,
    works: true,
    doc: 'Directory of the metadata log; unset, it is the first log directory.',
  }),
  'metadata.log.max.record.bytes.between.snapshots': long({
    default: 20_971_520,
    min: 1,
    works: true,
    doc: 'Bytes of new metadata records after which a snapshot is written.',
  }),
  'metadata.log.max.snapshot.interval.ms': long({
    default: 3_600_000,
    min: 0,
    works: true,
    doc: 'Longest time between snapshots while new metadata records arrive.',
  }),
  'metadata.log.segment.bytes': int({
    default: 1_073_741_824,
    min: 8_388_608,
    works: true,
    doc: 'Size at which a segment of the metadata log is closed.',
  }),
  'metadata.log.segment.ms': long({
    default: 604_800_000,
    works: true,
    doc: 'Age at which a segment of the metadata log is closed.',
  }),
  'metadata.max.idle.interval.ms': int({
    default: 500,
    min: 0,
    doc: 'How often an idle quorum leader writes a no-op record; 0 writes none.',
  }),
  'metadata.max.retention.bytes': long({
    default: 104_857_600,
    works: true,
    doc: 'Most bytes of metadata log and snapshots before old ones are removed.',
  }),
  'metadata.max.retention.ms': long({
    default: 604_800_000,
    works: true,
    doc: 'Age at which metadata log segments and snapshots are removed.',
  }),
}
