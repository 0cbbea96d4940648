// Broker keys of transactions.

import { boolean, int, short } from '../key.ts'

export const transactionKeys = {
  'add.partitions.to.txn.retry.backoff.max.ms': int({
    default: 100,
    min: 0,
    doc: 'How long the server waits for a transaction that is still completing, before it tells the producer to come again.',
    works: true,
  }),
  'add.partitions.to.txn.retry.backoff.ms': int({
    default: 20,
    min: 1,
    doc: "Longest pause between the server's looks at a transaction that is still completing, whose end it notices at once.",
    works: true,
  }),
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': int({
    default: 10_000,
    min: 1,
    doc: 'How often transactions past their time-out are aborted.',
    works: true,
  }),
  'transaction.max.timeout.ms': int({
    default: 900_000,
    min: 1,
    doc: 'Longest transaction time-out a producer may ask for.',
    works: true,
  }),
  'transaction.partition.verification.enable': boolean({
    default: true,
    update: 'cluster',
    doc: 'Checks with the coordinator that a partition is part of the transaction before writing.',
    works: true,
  }),
  'transaction.remove.expired.transaction.cleanup.interval.ms': int({
    default: 3_600_000,
    min: 1,
    doc: 'How often expired transactional ids are removed.',
    works: true,
  }),
  'transaction.state.log.load.buffer.size': int({
    default: 5_242_880,
    min: 1,
    works: true,
    doc: 'Bytes read at once when a transaction coordinator loads its partition; a larger batch is read whole.',
  }),
  'transaction.state.log.min.isr': int({
    default: 2,
    min: 1,
    doc: 'Replicas in sync that a write to the transaction topic needs.',
    works: true,
  }),
  'transaction.state.log.num.partitions': int({
    default: 50,
    min: 1,
    doc: 'Partitions of the transaction topic; not to be changed once it exists.',
    works: true,
  }),
  'transaction.state.log.replication.factor': short({
    default: 3,
    min: 1,
    doc: 'Replicas of the transaction topic.',
    works: true,
  }),
  'transaction.state.log.segment.bytes': int({
    default: 104_857_600,
    min: 1,
    doc: 'Segment size of the transaction topic.',
    works: true,
  }),
  'transaction.two.phase.commit.enable': boolean({
    default: false,
    doc: 'Allows transactions that a client prepares and completes later without a time-out.',
  }),
  'transactional.id.expiration.ms': int({
    default: 604_800_000,
    min: 1,
    doc: 'How long an idle transactional id is remembered.',
    works: true,
  }),
}
