// A producer and a consumer as clients of transaction.version 2, 1 and 0 behave on the wire, for tests over the harness.
import type { Api, AskOf, ResponseOf } from '../../../protocol/api.ts'
import { CONCURRENT_TRANSACTIONS, NONE } from '../../../protocol/errors.ts'
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  EndTxn,
  Fetch,
  FindCoordinator,
  InitProducerId,
  OffsetFetch,
  Produce,
  TxnOffsetCommit,
} from '../../../protocol/messages/index.ts'
import { decodeRecords } from '../../../protocol/records/record.ts'
import { crashFiles } from '../../../storage/files-crash.ts'
import { records, testBroker, type TestBroker, type TestBrokerOptions } from './harness.ts'

export interface ProducerOptions {
  readonly transactionalId?: string
  /** 2: Produce 12 and EndTxn 5; else the versions of clients before KIP-890. */
  readonly version?: number
  readonly timeoutMs?: number
}

export class TestProducer {
  broker: TestBroker
  readonly transactionalId: string
  readonly #version: number
  readonly #timeoutMs: number
  producerId = -1
  producerEpoch = -1
  #sequences = new Map<string, number>()
  #added = new Set<string>()

  constructor(broker: TestBroker, { transactionalId = 'x', version = 2, timeoutMs = 60_000 }: ProducerOptions = {}) {
    this.broker = broker
    this.transactionalId = transactionalId
    this.#version = version
    this.#timeoutMs = timeoutMs
  }

  /** As initTransactions(): asks again while the transaction before is being ended. */
  async init(): Promise<number> {
    await this.#ask(FindCoordinator, { key: '', keyType: 1, coordinatorKeys: [this.transactionalId] })
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      const reply = await this.#ask(InitProducerId, {
        transactionalId: this.transactionalId,
        transactionTimeoutMs: this.#timeoutMs,
      })
      const { errorCode, producerId, producerEpoch } = reply
      if (errorCode === CONCURRENT_TRANSACTIONS) {
        // oxlint-disable-next-line no-await-in-loop -- as above
        await this.broker.runtime.advanceAsync(20)
        continue
      }
      if (errorCode === NONE) this.#become(producerId, producerEpoch)
      return errorCode
    }
  }

  /** Adds the partition where the version asks for that. */
  async send(topic: string, value: string, partition = 0): Promise<number> {
    const code = await this.add(topic, partition)
    return code === NONE ? this.produce(topic, value, partition) : code
  }

  async add(topic: string, partition = 0): Promise<number> {
    const key = `${topic}/${partition}`
    if (this.#version >= 2 || this.#added.has(key)) return NONE
    const request = {
      v3AndBelowTransactionalId: this.transactionalId,
      v3AndBelowProducerId: this.producerId,
      v3AndBelowProducerEpoch: this.producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions: [partition] }],
      transactions: [],
    }
    const reply = await this.#ask(AddPartitionsToTxn, request, 3)
    const code = reply.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode
    if (code === NONE) this.#added.add(key)
    return code
  }

  async produce(topic: string, value: string, partition = 0, version?: number): Promise<number> {
    const key = `${topic}/${partition}`
    const baseSequence = this.#sequences.get(key) ?? 0
    const { producerId, producerEpoch, transactionalId } = this
    const sent = records([value], { producerId, producerEpoch, baseSequence, isTransactional: true })
    const topicData = [{ name: topic, partitionData: [{ index: partition, records: sent }] }]
    const request = { transactionalId, acks: -1, timeoutMs: 30_000, topicData }
    const reply = await this.#ask(Produce, request, version ?? (this.#version >= 2 ? 12 : 11))
    const { errorCode } = reply.responses[0]!.partitionResponses[0]!
    if (errorCode === NONE) this.#sequences.set(key, baseSequence + 1)
    return errorCode
  }

  /** One partition's offset for a group, as a transaction's last step. */
  async sendOffset(groupId: string, topic: string, offset: number, generation = -1, memberId = ''): Promise<number> {
    const { transactionalId, producerId, producerEpoch } = this
    if (this.#version < 2) {
      const added = await this.#ask(AddOffsetsToTxn, { transactionalId, producerId, producerEpoch, groupId }, 3)
      if (added.errorCode !== NONE) return added.errorCode
    }
    const partitions = [{ partitionIndex: 0, committedOffset: offset, committedMetadata: '' }]
    const identity = { transactionalId, groupId, producerId, producerEpoch, memberId }
    const request = { ...identity, generationIdOrMemberEpoch: generation, topics: [{ name: topic, partitions }] }
    const reply = await this.#ask(TxnOffsetCommit, request, this.#version >= 2 ? 5 : 4)
    return reply.topics[0]!.partitions[0]!.errorCode
  }

  /** Id and epoch as the request had them when it was sent first. */
  async end(committed: boolean, producerEpoch = this.producerEpoch, producerId = this.producerId): Promise<number> {
    const { transactionalId } = this
    const request = { transactionalId, producerId, producerEpoch, committed }
    const reply = await this.broker.ask(EndTxn, request, this.#version >= 2 ? 5 : 4)
    if (reply!.errorCode === NONE) {
      if (this.#version >= 2) this.#become(reply!.producerId, reply!.producerEpoch)
      this.#added.clear()
    }
    return reply!.errorCode
  }

  /** A request that was on its way for long: nobody waits for the answer any more. */
  async endLate(committed: boolean, producerEpoch: number): Promise<number> {
    const { transactionalId, producerId } = this
    return (await this.#ask(EndTxn, { transactionalId, producerId, producerEpoch, committed }, 5)).errorCode
  }

  /** Handlers that write more than once need more than one turn of the event loop; some wait for time to pass. */
  async #ask<A extends Api>(api: A, value: AskOf<A>, version?: number): Promise<ResponseOf<A>> {
    const { broker } = this
    const { runtime } = broker
    const state = { isAnswered: false }
    const answer = broker.ask(api, value, version).finally(() => (state.isAnswered = true))
    // A broker that was killed throws at once; that is heard below, when time has passed, and is no stray rejection till then.
    answer.catch(() => undefined)
    await runtime.settle()
    // oxlint-disable-next-line no-await-in-loop -- the answer comes meanwhile, or the broker was killed
    while (!state.isAnswered && this.broker === broker) await runtime.advanceAsync(5)
    return (await answer)!
  }

  #become(producerId: number, producerEpoch: number): void {
    if (this.producerId === producerId && this.producerEpoch === producerEpoch) return
    this.producerId = producerId
    this.producerEpoch = producerEpoch
    this.#sequences = new Map()
    this.#added = new Set()
  }
}

export interface Read {
  readonly values: string[]
  readonly nextOffset: number
  readonly lastStableOffset: number
}

/** What a consumer sees from `offset` on; with read_committed it leaves out what the list of aborted ones tells it to. */
export async function consume(
  broker: TestBroker,
  topic: string,
  { committed = true, partition = 0, offset = 0 }: { committed?: boolean; partition?: number; offset?: number } = {},
): Promise<Read> {
  const values: string[] = []
  let at = offset
  for (;;) {
    const asked = { partition, fetchOffset: at, partitionMaxBytes: 1 << 20 }
    const request = {
      maxWaitMs: 0,
      minBytes: 1,
      isolationLevel: committed ? 1 : 0,
      topics: [{ topic, partitions: [asked] }],
      forgottenTopicsData: [],
    }
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const reply = await broker.ask(Fetch, request, 12)
    const found = reply!.responses[0]!.partitions[0]!
    if (found.errorCode !== NONE) throw new Error(`fetch: ${found.errorCode}`)
    const bytes = Buffer.concat(found.records?.parts ?? [])
    if (bytes.length === 0) return { values, nextOffset: at, lastStableOffset: found.lastStableOffset }
    const aborted = (found.abortedTransactions ?? []).toSorted((a, b) => a.firstOffset - b.firstOffset)
    const open = new Set<number>()
    for (let pos = 0; pos < bytes.length; pos += bytes.readInt32BE(pos + 8) + 12) {
      at = takeBatch(bytes, pos, aborted, open, at, values)
    }
  }
}

/** As the Java consumer does it (CompletedFetch.java). Returns the offset after the batch. */
function takeBatch(
  bytes: Buffer,
  pos: number,
  aborted: { producerId: number; firstOffset: number }[],
  open: Set<number>,
  from: number,
  values: string[],
): number {
  const baseOffset = Number(bytes.readBigInt64BE(pos))
  const nextOffset = baseOffset + bytes.readInt32BE(pos + 23) + 1
  const attributes = bytes.readInt16BE(pos + 21)
  const producerId = Number(bytes.readBigInt64BE(pos + 43))
  while (aborted.length > 0 && aborted[0]!.firstOffset < nextOffset) open.add(aborted.shift()!.producerId)
  if (attributes & 0x20) {
    open.delete(producerId)
    return nextOffset
  }
  if (attributes & 0x10 && open.has(producerId)) return nextOffset
  for (const { offset, value } of decodeRecords(bytes, pos)) if (offset >= from) values.push(String(value))
  return nextOffset
}

/** The committed offset of partition 0, and its error. */
export async function committedOffset(
  broker: TestBroker,
  groupId: string,
  topic: string,
  requireStable = false,
): Promise<{ offset: number; errorCode: number }> {
  const topics = [{ name: topic, partitionIndexes: [0] }]
  const reply = await broker.ask(OffsetFetch, { groups: [{ groupId, topics }], topics: null, requireStable }, 9)
  const { committedOffset: offset, errorCode } = reply!.groups[0]!.topics[0]!.partitions[0]!
  return { offset, errorCode }
}

const config = { 'transaction.state.log.num.partitions': 2 }

/** A broker whose coordinators have read back what they hold. */
export async function startBroker(options: Partial<TestBrokerOptions> = {}): Promise<TestBroker> {
  const broker = await testBroker({ files: crashFiles(), ...options, config: { ...config, ...options.config } })
  const loaded = broker.opened.broker.coordinatorsLoaded()
  // Markers that a crash held back are written while groups are read back, and those wait for each other.
  await broker.runtime.settle()
  await loaded
  return broker
}

/** Lets markers be written. */
export const letMarkersOut = (broker: TestBroker): Promise<void> => broker.runtime.advanceAsync(200)
