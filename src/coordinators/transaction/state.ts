// What is remembered of a transactional id, and which state may follow which (TransactionState.java,
// TransactionMetadata.java). Values are never changed: a transition makes a new one.
import assert from 'node:assert'

/** By the number that stands for each in the log. Dead and PrepareEpochFence are never written, but tools know them. */
export const STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const

export type TransactionState = (typeof STATES)[number]

/** States that last; Dead is the tombstone, and the fence is one step with the abort that follows it. */
export type LastingState = Exclude<TransactionState, 'Dead' | 'PrepareEpochFence'>

/**
 * The states that each state may follow; 'none': the id was not known. Abort of what never began is for clients of
 * transaction.version 2 (KIP-890), who cannot always know whether a partition was added.
 */
export const TRANSITIONS: Readonly<Record<LastingState | 'Dead', readonly (LastingState | 'none')[]>> = {
  Empty: ['none', 'Empty', 'CompleteCommit', 'CompleteAbort'],
  Ongoing: ['Ongoing', 'Empty', 'CompleteCommit', 'CompleteAbort'],
  PrepareCommit: ['Ongoing'],
  PrepareAbort: ['Ongoing', 'Empty', 'CompleteCommit', 'CompleteAbort'],
  CompleteCommit: ['PrepareCommit'],
  CompleteAbort: ['PrepareAbort'],
  Dead: ['Empty', 'CompleteCommit', 'CompleteAbort'],
}

export const NO_PRODUCER_ID = -1
export const NO_PRODUCER_EPOCH = -1
const MAX_EPOCH = 0x7fff

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export type Partitions = ReadonlyMap<string, ReadonlySet<number>>

export const NO_PARTITIONS: Partitions = new Map()

export interface Transaction {
  readonly state: LastingState
  readonly producerId: number
  /** The id before the last transition; differs where epochs ran out and a retry may still use the old one. */
  readonly previousProducerId: number
  /** The id that follows once the markers are written, where the epochs of this one ran out; -1: the same. */
  readonly nextProducerId: number
  readonly producerEpoch: number
  /** The epoch before the last bump, for retries of InitProducerId (KIP-360). In memory only, as in Kafka. */
  readonly lastProducerEpoch: number
  readonly timeoutMs: number
  /** Those in the transaction; while markers are written, those that still lack theirs. */
  readonly partitions: Partitions
  /** -1: no transaction. */
  readonly startMs: number
  readonly lastUpdateMs: number
  /** transaction.version of the client that made the last transition. */
  readonly clientTransactionVersion: number
}

/** An epoch that no client may be given: the one after it must be left for a fence. */
export const isExhausted = (epoch: number): boolean => epoch >= MAX_EPOCH - 1

/** The last epoch that clients are given. */
export const LAST_CLIENT_EPOCH = MAX_EPOCH - 1

export const isCompleting = ({ state }: Transaction): boolean => state === 'PrepareCommit' || state === 'PrepareAbort'

export const isOver = ({ state }: Transaction): boolean =>
  state === 'Empty' || state === 'CompleteCommit' || state === 'CompleteAbort'

/** A transactional id as it is before its first record. */
export const newTransaction = (producerId: number, now: number): Transaction => ({
  state: 'Empty',
  producerId,
  previousProducerId: NO_PRODUCER_ID,
  nextProducerId: NO_PRODUCER_ID,
  producerEpoch: NO_PRODUCER_EPOCH,
  lastProducerEpoch: NO_PRODUCER_EPOCH,
  timeoutMs: 0,
  partitions: NO_PARTITIONS,
  startMs: -1,
  lastUpdateMs: now,
  clientTransactionVersion: 0,
})

/** The only way from state to state; a step that the table does not have is our own bug. */
export function transition(
  from: Transaction,
  state: LastingState,
  now: number,
  changes: Partial<Omit<Transaction, 'state' | 'lastUpdateMs' | 'previousProducerId'>>,
): Transaction {
  const to = { ...from, ...changes, state, previousProducerId: from.producerId, lastUpdateMs: now }
  const isFirst = from.producerEpoch === NO_PRODUCER_EPOCH
  assert(
    TRANSITIONS[state].includes(isFirst ? 'none' : from.state),
    `a transaction went from ${from.state} to ${state}`,
  )
  const step = to.producerEpoch - from.producerEpoch
  const epochFits = to.producerId === from.producerId ? step === 0 || step === 1 : to.producerEpoch === 0
  assert(epochFits && to.producerEpoch <= MAX_EPOCH, `epoch ${from.producerEpoch} was followed by ${to.producerEpoch}`)
  return to
}

/** The step that ends a transaction and waits for its markers; `version` 2 raises the epoch with each (KIP-890). */
export function prepareEnd(
  txn: Transaction,
  o: { commit: boolean; version: number; nextProducerId: number; now: number },
): Transaction {
  const bumps = o.version >= 2
  return transition(txn, o.commit ? 'PrepareCommit' : 'PrepareAbort', o.now, {
    // An epoch at its very end, from a log that was written with a fault, is aborted as it is.
    producerEpoch: bumps ? Math.min(txn.producerEpoch + 1, MAX_EPOCH) : txn.producerEpoch,
    lastProducerEpoch: bumps ? txn.producerEpoch : txn.lastProducerEpoch,
    nextProducerId: o.nextProducerId,
    // An abort of what never began needs a start all the same.
    startMs: txn.state === 'Ongoing' ? txn.startMs : o.now,
    clientTransactionVersion: o.version,
  })
}

/**
 * Aborts an open transaction and fences whoever has the epoch: at a time-out, or for a producer that takes over.
 * `version`: the cluster's transaction.version.
 */
export function prepareFence(
  txn: Transaction,
  o: { version: number; nextProducerId: number; now: number },
): Transaction {
  const end = { commit: false, ...o }
  if (o.version >= 2) return prepareEnd(txn, end)
  const producerEpoch = Math.min(txn.producerEpoch + 1, MAX_EPOCH)
  const fenced = { ...txn, producerEpoch, lastProducerEpoch: NO_PRODUCER_EPOCH }
  return prepareEnd(fenced, { ...end, version: 0, nextProducerId: NO_PRODUCER_ID })
}

/** Whether ending it takes a producer id from outside: its own has no epoch left. */
export const needsNextProducerId = (txn: Transaction, version: number): boolean =>
  version >= 2 && isExhausted(txn.producerEpoch)

/** All markers are written. */
export function complete(txn: Transaction, now: number): Transaction {
  const rotates = txn.clientTransactionVersion >= 2 && txn.nextProducerId !== NO_PRODUCER_ID
  return transition(txn, txn.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort', now, {
    ...producerAfter(txn),
    // The last epoch the client saw stays as it is when the id changes.
    lastProducerEpoch: txn.lastProducerEpoch,
    nextProducerId: rotates ? NO_PRODUCER_ID : txn.nextProducerId,
    partitions: NO_PARTITIONS,
  })
}

/** Id and epoch of the producer once a transaction that is being ended is over. */
export function producerAfter(txn: Transaction): { producerId: number; producerEpoch: number } {
  const { nextProducerId, producerId, producerEpoch } = txn
  const rotates = txn.clientTransactionVersion >= 2 && nextProducerId !== NO_PRODUCER_ID
  return rotates ? { producerId: nextProducerId, producerEpoch: 0 } : { producerId, producerEpoch }
}

export const contains = (partitions: Partitions, { topic, partition }: TopicPartition): boolean =>
  partitions.get(topic)?.has(partition) === true

export function withPartitions(partitions: Partitions, added: readonly TopicPartition[]): Partitions {
  const all = new Map<string, Set<number>>()
  for (const [topic, numbers] of partitions) all.set(topic, new Set(numbers))
  for (const { topic, partition } of added) {
    const numbers = all.get(topic)
    if (numbers) numbers.add(partition)
    else all.set(topic, new Set([partition]))
  }
  return all
}

export function withoutPartitions(partitions: Partitions, removed: readonly TopicPartition[]): Partitions {
  const gone = withPartitions(NO_PARTITIONS, removed)
  const left = new Map<string, Set<number>>()
  for (const [topic, numbers] of partitions) {
    const kept = [...numbers].filter(partition => !contains(gone, { topic, partition }))
    if (kept.length > 0) left.set(topic, new Set(kept))
  }
  return left
}

export const listed = (partitions: Partitions): TopicPartition[] =>
  [...partitions].flatMap(([topic, numbers]) => Array.from(numbers, partition => ({ topic, partition })))
