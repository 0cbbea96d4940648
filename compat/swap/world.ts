// What is written between two swaps. Everything that must survive is remembered here: the producer's next sequence, the
// transaction that is open, what each round left behind.
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  CreatePartitions,
  CreateTopics,
  DeleteRecords,
  DeleteTopics,
  EndTxn,
  FindCoordinator,
  IncrementalAlterConfigs,
  InitProducerId,
  OffsetCommit,
  Produce,
  TxnOffsetCommit,
} from '../../protocol/messages/index.ts'
import { encodeBatch, type RecordToEncode } from '../../protocol/records/record.ts'
import { GZIP, LZ4, SNAPPY, ZSTD } from '../../protocol/records/compression.ts'
import { eventually } from '../harness/index.ts'
import { open, type Wire } from '../harness/wire.ts'
import { ask } from './state.ts'

const codecs = { plain: 0, gzip: GZIP, snappy: SNAPPY, lz4: LZ4, zstd: ZSTD } as const

interface Producer {
  readonly producerId: number
  readonly producerEpoch: number
}

interface Sent {
  readonly bytes: Buffer
  readonly baseOffset: number
}

const TRANSACTION_TIMEOUT_MS = 600_000

export class World {
  round = 0
  /** Records that were acknowledged, all topics together. */
  written = 0
  readonly #bootstrap: string
  #producer: Producer | null = null
  #sequence = 0
  /** The last batch of the idempotent producer: sent again after a swap it must be known. */
  #last: Sent | null = null
  #open: (Producer & { sequence: number }) | null = null

  constructor(bootstrap: string) {
    this.#bootstrap = bootstrap
  }

  /** Makes the topics; once. */
  async begin(): Promise<void> {
    await this.#with(async wire => {
      const topic = (name: string, numPartitions: number, configs: Readonly<Record<string, string>> = {}) =>
        this.#create(wire, name, numPartitions, configs)
      for (const name of Object.keys(codecs)) await topic(name, 2)
      await topic('stored', 1, { 'compression.type': 'zstd', 'segment.bytes': '1048576' })
      await topic('idempotent', 1)
      await topic('transactional', 2)
      await topic('trimmed', 1)
      await topic('appendtime', 1, { 'message.timestamp.type': 'LogAppendTime' })
      await topic('configured', 1)
      await topic('grown', 1)
      await topic('again', 2)
      await topic('live', 3)
      const quick = { 'segment.ms': '1000', 'min.cleanable.dirty.ratio': '0.01', 'delete.retention.ms': '100' }
      await topic('compacted', 1, { 'cleanup.policy': 'compact', ...quick })
    })
  }

  /** One round of everything; `trim`: with DeleteRecords. */
  async write(trim: boolean): Promise<void> {
    const round = ++this.round
    await this.#with(async wire => {
      await this.#idempotent(wire)
      for (const [topic, codec] of Object.entries(codecs))
        for (const partition of [0, 1])
          await this.#produce(wire, topic, partition, some(`${topic} ${round}`, 25), { codec })
      for (const topic of ['stored', 'trimmed', 'appendtime', 'grown', 'configured', 'again'])
        await this.#produce(wire, topic, 0, some(`${topic} ${round}`, 20))
      await this.#compact(wire)
      await this.#transactions(wire)
      await this.#offsets(wire)
      await this.#administer(wire)
      if (trim) await this.#trim(wire)
    })
  }

  async #with(work: (wire: Wire) => Promise<void>): Promise<void> {
    const wire = await open(this.#bootstrap)
    try {
      await work(wire)
    } finally {
      wire.close()
    }
  }

  async #create(wire: Wire, name: string, numPartitions: number, configs: Readonly<Record<string, string>> = {}) {
    const settings = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
    const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: settings }
    // A topic deleted a moment ago may still be known.
    await eventually(
      `the topic ${name}`,
      async () => {
        const reply = await ask(wire, CreateTopics, 7, { topics: [topic], timeoutMs: 10_000, validateOnly: false })
        const { errorCode, errorMessage } = reply.topics[0]!
        if (errorCode !== 0) throw new Error(`creating ${name}: ${errorCode} ${errorMessage}`)
        return true
      },
      { ms: 60_000 },
    )
  }

  async #produce(
    wire: Wire,
    topic: string,
    index: number,
    records: readonly RecordToEncode[],
    more: { codec?: number; transactionalId?: string; producer?: Producer; baseSequence?: number } = {},
  ): Promise<Sent> {
    const { codec = 0, transactionalId, producer, baseSequence } = more
    const bytes = encodeBatch({
      records,
      timestamp: Date.now(),
      codec,
      isTransactional: transactionalId !== undefined,
      ...(producer !== undefined && { ...producer, baseSequence: baseSequence ?? 0 }),
    })
    const baseOffset = await this.#send(wire, topic, index, bytes, transactionalId ?? null)
    this.written += records.length
    return { bytes, baseOffset }
  }

  /** @returns the offset it got */
  async #send(wire: Wire, name: string, index: number, bytes: Buffer, transactionalId: string | null): Promise<number> {
    const records = { byteLength: bytes.length, parts: [bytes] }
    const topicData = [{ name, partitionData: [{ index, records }] }]
    const reply = await ask(wire, Produce, 9, { transactionalId, acks: -1, timeoutMs: 10_000, topicData })
    const { errorCode, errorMessage, baseOffset } = reply.responses[0]!.partitionResponses[0]!
    if (errorCode !== 0) throw new Error(`producing to ${name}-${index}: ${errorCode} ${errorMessage ?? ''}`)
    return baseOffset
  }

  /** The producer of the first round goes on: its last batch is a repetition, the next one follows. */
  async #idempotent(wire: Wire): Promise<void> {
    this.#producer ??= await this.#initProducer(wire, null)
    if (this.#last !== null) {
      const { bytes, baseOffset } = this.#last
      const found = await this.#send(wire, 'idempotent', 0, bytes, null)
      if (found !== baseOffset) throw new Error(`a repeated batch got offset ${found}, not its own ${baseOffset}`)
    }
    for (let n = 0; n < 5; n++) {
      const records = some(`idempotent ${this.round} ${n}`, 7)
      const producer = this.#producer
      this.#last = await this.#produce(wire, 'idempotent', 0, records, { producer, baseSequence: this.#sequence })
      this.#sequence += records.length
    }
  }

  /** Makes the internal topic, where it is the first time. */
  async #findCoordinator(wire: Wire, key: string, keyType: 0 | 1): Promise<void> {
    const reply = await ask(wire, FindCoordinator, 4, { key: '', keyType, coordinatorKeys: [key] })
    refuse('FindCoordinator', reply.coordinators[0]!.errorCode)
  }

  async #initProducer(wire: Wire, transactionalId: string | null): Promise<Producer> {
    if (transactionalId !== null) await this.#findCoordinator(wire, transactionalId, 1)
    const request = { transactionalId, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS, producerId: -1, producerEpoch: -1 }
    const { errorCode, producerId, producerEpoch } = await ask(wire, InitProducerId, 4, request)
    if (errorCode !== 0) throw new Error(`InitProducerId of ${transactionalId}: ${errorCode}`)
    return { producerId, producerEpoch }
  }

  async #compact(wire: Wire): Promise<void> {
    const keyed = Array.from({ length: 40 }, (_, n) => ({
      key: Buffer.from(`key ${n % 12}`),
      value: n % 12 === this.round % 12 ? null : Buffer.from(`${this.round} ${n}`),
    }))
    await this.#produce(wire, 'compacted', 0, keyed)
  }

  /** The one left open by the round before ends; one commits with offsets, one aborts, one is left open. */
  async #transactions(wire: Wire): Promise<void> {
    if (this.#open !== null) {
      await this.#produceIn(wire, 'open', this.#open, 1, this.#open.sequence)
      await this.#end(wire, 'open', this.#open, this.round % 2 === 0)
    }
    const producer = await this.#initProducer(wire, 'ends')
    await this.#addPartitions(wire, 'ends', producer, [0, 1])
    for (const partition of [0, 1]) await this.#produceIn(wire, 'ends', producer, partition, 0)
    await this.#commitOffsets(wire, producer)
    await this.#end(wire, 'ends', producer, true)
    await this.#addPartitions(wire, 'ends', producer, [0])
    await this.#produceIn(wire, 'ends', producer, 0, 6)
    await this.#end(wire, 'ends', producer, false)

    const opened = await this.#initProducer(wire, 'open')
    await this.#addPartitions(wire, 'open', opened, [1])
    await this.#produceIn(wire, 'open', opened, 1, 0)
    this.#open = { ...opened, sequence: 6 }
  }

  async #produceIn(
    wire: Wire,
    transactionalId: string,
    { producerId, producerEpoch }: Producer,
    index: number,
    baseSequence: number,
  ) {
    const producer = { producerId, producerEpoch }
    const records = some(`${transactionalId} ${this.round}`, 6)
    await this.#produce(wire, 'transactional', index, records, { transactionalId, producer, baseSequence })
  }

  async #addPartitions(wire: Wire, transactionalId: string, producer: Producer, partitions: number[]): Promise<void> {
    const reply = await ask(wire, AddPartitionsToTxn, 3, {
      transactions: [],
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producer.producerId,
      v3AndBelowProducerEpoch: producer.producerEpoch,
      v3AndBelowTopics: [{ name: 'transactional', partitions }],
    })
    refuse('AddPartitionsToTxn', reply.resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode)
  }

  async #commitOffsets(wire: Wire, { producerId, producerEpoch }: Producer): Promise<void> {
    await this.#findCoordinator(wire, 'in-transactions', 0)
    const common = { transactionalId: 'ends', producerId, producerEpoch, groupId: 'in-transactions' }
    refuse('AddOffsetsToTxn', (await ask(wire, AddOffsetsToTxn, 3, common)).errorCode)
    const partition = {
      partitionIndex: 0,
      committedOffset: this.round,
      committedLeaderEpoch: -1,
      committedMetadata: 't',
    }
    const member = { generationId: -1, memberId: '', groupInstanceId: null }
    const topics = [{ name: 'plain', partitions: [partition] }]
    const reply = await ask(wire, TxnOffsetCommit, 3, { ...common, ...member, topics })
    refuse('TxnOffsetCommit', reply.topics[0]!.partitions[0]!.errorCode)
  }

  async #end(wire: Wire, transactionalId: string, { producerId, producerEpoch }: Producer, committed: boolean) {
    const request = { transactionalId, producerId, producerEpoch, committed }
    refuse('EndTxn', (await ask(wire, EndTxn, 3, request)).errorCode)
  }

  async #offsets(wire: Wire): Promise<void> {
    await this.#findCoordinator(wire, 'simple', 0)
    const partitions = [0, 1].map(partitionIndex => ({
      partitionIndex,
      committedOffset: this.round * 10 + partitionIndex,
      committedLeaderEpoch: -1,
      committedMetadata: `round ${this.round}`,
    }))
    const reply = await ask(wire, OffsetCommit, 8, {
      groupId: 'simple',
      generationIdOrMemberEpoch: -1,
      memberId: '',
      groupInstanceId: null,
      topics: [{ name: 'plain', partitions }],
    })
    refuse('OffsetCommit', reply.topics[0]!.partitions[0]!.errorCode)
  }

  async #administer(wire: Wire): Promise<void> {
    const { round } = this
    const removed = ['again', ...(round > 1 ? [`round-${round - 1}`] : [])]
    const topics = removed.map(name => ({ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }))
    const deleted = await ask(wire, DeleteTopics, 6, { topics, topicNames: [], timeoutMs: 10_000 })
    for (const { errorCode } of deleted.responses) refuse('DeleteTopics', errorCode)
    await this.#create(wire, `round-${round}`, 2, { 'retention.ms': `${86_400_000 + round}` })
    await this.#create(wire, 'again', 1 + (round % 3))
    await this.#produce(wire, 'again', 0, some(`again ${round}`, 3))
    await this.#produce(wire, `round-${round}`, 1, some(`round ${round}`, 3))

    const grown = [{ name: 'grown', count: round + 1, assignments: null }]
    const grow = await ask(wire, CreatePartitions, 3, { topics: grown, timeoutMs: 10_000, validateOnly: false })
    refuse('CreatePartitions', grow.results[0]!.errorCode)
    const configs = [
      { name: 'retention.ms', configOperation: 0, value: `${90_000_000 + round}` },
      { name: 'max.message.bytes', configOperation: round % 2, value: round % 2 === 0 ? '1000000' : null },
    ]
    const resources = [{ resourceType: 2, resourceName: 'configured', configs }]
    const altered = await ask(wire, IncrementalAlterConfigs, 1, { resources, validateOnly: false })
    refuse('IncrementalAlterConfigs', altered.responses[0]!.errorCode)
  }

  async #trim(wire: Wire): Promise<void> {
    const trimmed = [{ name: 'trimmed', partitions: [{ partitionIndex: 0, offset: this.round * 7 }] }]
    const trim = await ask(wire, DeleteRecords, 2, { topics: trimmed, timeoutMs: 10_000 })
    refuse('DeleteRecords', trim.topics[0]!.partitions[0]!.errorCode)
  }
}

function refuse(what: string, errorCode: number): void {
  if (errorCode !== 0) throw new Error(`${what}: error ${errorCode}`)
}

const some = (text: string, count: number): RecordToEncode[] =>
  Array.from({ length: count }, (_, n) => ({
    key: n % 5 === 0 ? null : Buffer.from(`key ${n}`),
    value: Buffer.from(`${text} ${n} ${'ü'.repeat(n % 40)}`),
    headers: n % 3 === 0 ? [{ key: 'n', value: Buffer.from(String(n)) }] : [],
  }))
