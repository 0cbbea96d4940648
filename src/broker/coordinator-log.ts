// A coordinator's view of its partition: batches of keyed records appended as the acks=all rule says, and everything
// that is there read back in slices. Kafka: CoordinatorPartitionWriter.java, CoordinatorLoaderImpl.java.
import type { AppendOptions } from '../../storage/log.ts'
import type { BatchProducer, StoredRecord, LogEntry, LogPort } from '../coordinators/machine.ts'
import type { Durability, Partition } from './partition.ts'
import * as batch from '../../protocol/records/batch.ts'
import { codecReady } from '../../protocol/records/compression.ts'
import { COMMIT, decodeControlKey, ABORT } from '../../protocol/records/control.ts'
import { decodeRecords, encodeBatch } from '../../protocol/records/record.ts'

export interface CoordinatorLogOptions {
  readonly partition: Partition
  readonly durability: Durability
  /** How much one slice reads while the partition is loaded. */
  readonly loadBytes: number
  /** Codec of what is written, 0 to 4; markers are never compressed. */
  readonly codec: number
  /** Everything below this offset is as durable as asked. */
  committed(offset: number): void
  /** The disk failed: what was appended may be lost, the coordinator has to let go of the partition. */
  failed(): void
}

export class CoordinatorLog implements LogPort {
  readonly #o: CoordinatorLogOptions
  #committed: number
  /** Everything below was asked to be committed. */
  #asked: number

  constructor(options: CoordinatorLogOptions) {
    this.#o = options
    const { partition, durability } = options
    const { logEndOffset, syncedOffset } = partition.log
    // What a killed process wrote is here, and may still be lost with the power: nothing is answered on it before that.
    this.#committed = durability === 'synced' ? syncedOffset : logEndOffset
    this.#asked = this.#committed
    this.commit()
  }

  get end(): number {
    return this.#o.partition.log.logEndOffset
  }

  get committed(): number {
    return this.#committed
  }

  append(entries: readonly LogEntry[], now: number, producer?: BatchProducer): number {
    const { partition, codec } = this.#o
    const bytes = encodeBatch({
      timestamp: now,
      records: entries.map(({ key, value }) => ({ key, value })),
      codec: producer?.isMarker ? 0 : codec,
      ...(producer && {
        producerId: producer.producerId,
        producerEpoch: producer.producerEpoch,
        isTransactional: true,
        isControl: producer.isMarker,
      }),
    })
    const { lastOffset } = this.#appending(() =>
      partition.append(bytes, {
        acks: -1,
        now,
        origin: 'coordinator',
        transactionVersion: producer?.transactionVersion,
        // Made by this broker alone, out of Partition.startVerification.
        verification: producer?.verification as AppendOptions['verification'],
      }),
    )
    return lastOffset + 1
  }

  /** What nobody waited for may have failed to be written. */
  #appending<T>(append: () => T): T {
    try {
      return append()
    } catch (error) {
      if (this.#o.partition.log.offline) this.#o.failed()
      throw error
    }
  }

  commit(): void {
    const { partition, durability } = this.#o
    const end = partition.log.logEndOffset
    if (end <= this.#asked) return
    this.#asked = end
    partition.whenDurable(durability, error => {
      if (error) return this.#o.failed()
      this.#committed = Math.max(this.#committed, end)
      this.#o.committed(this.#committed)
    })
  }

  async *read(): AsyncGenerator<readonly StoredRecord[], void, undefined> {
    const { partition, loadBytes, codec } = this.#o
    // Loading comes before the first append.
    await codecReady(codec)
    partition.catchUp()
    const { highWatermark: end } = partition
    let offset = partition.log.logStartOffset
    while (offset < end) {
      // Another log with the same content, once the partition has moved to another directory.
      const records = partition.log.read(offset, { maxBytes: loadBytes, maxOffset: end, minOneBatch: true })
      if (records.byteLength === 0) return
      try {
        // oxlint-disable-next-line no-await-in-loop -- slices come one after the other
        for (const part of records.parts) yield await storedRecords(part)
        offset = records.nextOffset
      } finally {
        records.release?.()
      }
    }
  }
}

/** Of all batches of the part. Keys and values are copied: the machine keeps them, the slice's memory goes back. */
async function storedRecords(buffer: Buffer): Promise<StoredRecord[]> {
  const stored: StoredRecord[] = []
  for (const at of batch.batchesOf(buffer)) {
    const loading = codecReady(batch.codec(buffer, at))
    // oxlint-disable-next-line no-await-in-loop -- once in the life of the process
    if (loading !== null) await loading
    const producerId = batch.producerId(buffer, at)
    const isTransactional = batch.isTransactional(buffer, at)
    const isControl = batch.isControl(buffer, at)
    for (const { offset, key, value } of decodeRecords(buffer, at)) {
      const marker = isControl ? markerOf(key) : null
      stored.push({
        offset,
        key: marker || !key ? null : Buffer.from(key),
        value: marker || !value ? null : Buffer.from(value),
        producerId,
        isTransactional,
        marker,
      })
    }
  }
  return stored
}

function markerOf(key: Buffer | null): 'commit' | 'abort' | null {
  const { type } = decodeControlKey(key)
  return type === COMMIT ? 'commit' : type === ABORT ? 'abort' : null
}
