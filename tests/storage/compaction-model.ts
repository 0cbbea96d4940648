// A compacted log on the crash model disk beside a model of what its readers must see: whatever was written, aborted, truncated,
// compacted (with all that happens meanwhile) and lost in a crash, of each key the newest committed record is there.
import { expect } from 'vitest'
import type { Chooser, CrashFiles, Failure } from '../../storage/files-crash.ts'
import { crashFiles } from '../../storage/files-crash.ts'
import { verifyFolder } from '../../storage/inspect-verify.ts'
import type { Log } from '../../storage/log.ts'
import type { SeenBatch } from './compaction-fixtures.ts'
import { batchesIn, compacted, compactOnce, keyed, marker, pausing } from './compaction-fixtures.ts'
import { NOW, openLog } from './log-fixtures.ts'

export type Step =
  /** Outside of a transaction (producer -1: not even idempotent), or in the producer's open one. */
  | { do: 'put'; producer: number; keys: readonly number[]; tombstones: number; codec: number }
  | { do: 'end'; producer: number; commit: boolean }
  | { do: 'roll' | 'sync' | 'restart' | 'retention' | 'deleteFiles' }
  | { do: 'wait'; ms: number }
  | { do: 'truncate'; back: number }
  /** `isNoted`: the checkpoint of compaction was written afterwards. */
  | { do: 'compact'; meanwhile: readonly Step[]; mapKeys: number; isNoted: boolean }

interface Written {
  readonly offset: number
  readonly lastOffset: number
  readonly producer: number
  readonly lastSequence: number
  readonly entries: readonly (readonly [string, string | null])[]
  readonly at: number
  /** null: outside of any; else the transaction it belongs to, or ends. */
  readonly transaction: number | null
  readonly ends: 'commit' | 'abort' | null
}

const FOLDER = 'topic-0'
const DELETE_RETENTION_MS = 50
/** Producers from here on write transactions. */
const TRANSACTIONAL = 2

export class CompactionModel {
  readonly files: CrashFiles = crashFiles()
  readonly config = compacted({
    segmentBytes: 700,
    segmentIndexBytes: 240,
    indexIntervalBytes: 150,
    deleteRetentionMs: DELETE_RETENTION_MS,
    fileDeleteDelayMs: 10,
    producerIdExpirationMs: 2 ** 53,
  })
  log!: Log
  compactions = 0
  /** Segments that compactions left as they are, and those they wrote from what was left of one alone. */
  segmentsLeft = 0
  segmentsRewritten = 0
  /** As written; more than one while a truncation is under way. */
  #histories: (readonly Written[])[] = [[]]
  #floor = 0
  #recoveryPoint = 0
  #cleanedOffset: number | undefined
  /** The high watermark of the last compaction: nothing beyond it was compacted, or decided what may go. */
  #compactedTo = 0
  #now = NOW
  #sequences = new Map<number, number>()
  /** By producer. */
  #open = new Map<number, number>()
  #count = 0

  open(cleanShutdown: boolean): void {
    const { files, config } = this
    this.log = openLog(files, { config, cleanShutdown, now: this.#now, recoveryPoint: this.#recoveryPoint })
  }

  /** @returns false when the disk failed on the way */
  async run(steps: readonly Step[]): Promise<boolean> {
    try {
      if (this.log === undefined) this.open(true)
      for (const step of steps) await this.#step(step)
      return true
    } catch (error) {
      if (!isDiskFailure(error)) throw error
      return false
    }
  }

  async reopen(choose: Chooser | null): Promise<void> {
    const written =
      choose === null && this.log !== undefined ? Math.min(this.log.writtenOffset, this.#floorOfKill()) : 0
    if (choose === null) this.files.kill()
    else this.files.crash(choose)
    this.open(false)
    this.#forgetHoles()
    this.check(Math.max(written, this.#floor))
    await this.#step({ do: 'put', producer: 0, keys: [1], tombstones: 0, codec: 0 })
    await this.#step({ do: 'roll' })
    await this.#step({ do: 'sync' })
    await this.#step({ do: 'compact', meanwhile: [], mapKeys: 1000, isNoted: true })
    await this.#step({ do: 'restart' })
  }

  /**
   * Of what was not synced a stop of the machine may take the end of a segment and leave the next one: in a log that is compacted
   * missing offsets tell nobody of it, as in Apache Kafka.
   */
  #forgetHoles(): void {
    const there = new Set(batchesIn(this.log).map(({ lastOffset }) => lastOffset))
    this.#histories = this.#histories.map(history =>
      rejoined(history.filter(({ lastOffset }) => lastOffset < this.#floor || there.has(lastOffset))),
    )
  }

  #floorOfKill(): number {
    return this.#histories.length > 1 ? this.#floor : Infinity
  }

  async #step(step: Step): Promise<void> {
    this.#now++
    switch (step.do) {
      case 'put':
        return this.#put(step)
      case 'end':
        return this.#end(step.producer, step.commit)
      case 'roll':
        return this.log.roll(this.#now)
      case 'retention':
        return void this.log.applyRetention(this.#now)
      case 'deleteFiles':
        this.#now += 10
        return void this.log.deletePendingFiles(this.#now)
      case 'wait':
        this.#now += step.ms
        return
      case 'sync': {
        const end = this.log.logEndOffset
        await this.log.sync()
        return this.#synced(end)
      }
      case 'truncate':
        return this.#truncate(step.back)
      case 'restart':
        await this.log.close(true)
        this.#synced(this.log.logEndOffset)
        this.#recoveryPoint = this.log.syncedOffset
        this.open(true)
        return this.check(this.log.logEndOffset)
      case 'compact':
        return await this.#compact(step)
    }
  }

  #put({ producer, keys, tombstones, codec }: Step & { do: 'put' }): void {
    const entries = keys.map((key, n): [string, string | null] => [
      `k${key}`,
      n < tombstones ? null : `v${this.#count++}`,
    ])
    const baseSequence = this.#sequences.get(producer) ?? 0
    const isTransactional = producer >= TRANSACTIONAL
    const identity = producer < 0 ? {} : { producerId: producer, producerEpoch: 0, baseSequence, isTransactional }
    const batch = keyed(entries, { ...identity, codec, timestamp: this.#now })
    const info = this.log.append(batch, { leaderEpoch: 0, now: this.#now, origin: 'client' })
    expect(info.duplicate).toBe(false)
    if (isTransactional && !this.#open.has(producer)) this.#open.set(producer, info.firstOffset)
    this.#add({
      offset: info.firstOffset,
      lastOffset: info.lastOffset,
      producer,
      lastSequence: baseSequence + entries.length - 1,
      entries,
      at: this.#now,
      transaction: this.#open.get(producer) ?? null,
      ends: null,
    })
    if (producer >= 0) this.#sequences.set(producer, baseSequence + entries.length)
  }

  #end(producer: number, commit: boolean): void {
    const transaction = this.#open.get(producer)
    if (transaction === undefined) return
    const ends = commit ? 'commit' : 'abort'
    const batch = marker(producer, 0, ends, this.#now)
    const { firstOffset: offset } = this.log.append(batch, { leaderEpoch: 0, now: this.#now, origin: 'coordinator' })
    this.#open.delete(producer)
    const at = this.#now
    this.#add({ offset, lastOffset: offset, producer, lastSequence: -1, entries: [], at, transaction, ends })
  }

  #add(written: Written): void {
    this.#histories = this.#histories.map((history, n) => (n === 0 ? [...history, written] : history))
  }

  #synced(end: number): void {
    // A truncation may have come meanwhile.
    if (this.log.syncedOffset < end) return
    this.#histories = [this.#histories[0]!]
    this.#floor = end
  }

  #truncate(back: number): void {
    // Never below what may have been compacted: records went because of later ones. Those are below the high watermark, and stay.
    const target = Math.max(this.#compactedTo, this.log.logStartOffset, this.log.logEndOffset - back)
    const kept = this.#histories[0]!.filter(batch => batch.lastOffset < target)
    const end = (kept.at(-1)?.lastOffset ?? -1) + 1
    this.#histories.push(kept)
    this.#floor = Math.min(this.#floor, end)
    this.log.truncateTo(target, this.#now)
    // Compaction may have taken the last batches before the cut: the log ends before them, and they are forgotten.
    this.#floor = Math.min(this.#floor, this.log.logEndOffset)
    this.#histories = [kept.filter(batch => batch.lastOffset < this.log.logEndOffset)]
    this.#recall()
    this.#recoveryPoint = Math.min(this.#recoveryPoint, this.log.syncedOffset)
    if (this.#cleanedOffset !== undefined) this.#cleanedOffset = Math.min(this.#cleanedOffset, this.log.logEndOffset)
  }

  async #compact({ meanwhile, mapKeys, isNoted }: Step & { do: 'compact' }): Promise<void> {
    // As the broker does before it.
    this.#recoveryPoint = this.log.syncedOffset
    const compactedTo = this.#compactedTo
    // Markers up to the high watermark decide about what lies before them.
    this.#compactedTo = Math.max(compactedTo, this.log.logEndOffset)
    const rest = [...meanwhile]
    const cleanedOffset = this.#cleanedOffset
    const result = await compactOnce(this.log, {
      now: this.#now,
      ...(cleanedOffset === undefined ? {} : { cleanedOffset }),
      mapBytes: 24 * mapKeys,
      pace: pausing(async () => {
        const next = rest.shift()
        if (next !== undefined) await this.#step(next)
      }),
    })
    if (result === null) this.#compactedTo = compactedTo
    for (const step of rest) await this.#step(step)
    if (result === null || result.cleanedOffset === null) return
    this.compactions++
    const { segmentsBefore, segmentsAfter, segmentsLeft } = result.counts
    this.segmentsLeft += segmentsLeft
    if (segmentsBefore === segmentsAfter) this.segmentsRewritten += segmentsAfter - segmentsLeft
    if (isNoted) this.#cleanedOffset = result.cleanedOffset
    this.check(0)
    // What is clean has each key once.
    if (meanwhile.some(step => step.do === 'truncate' || step.do === 'compact')) return
    const keys = this.#view(0)
      .filter(({ offset }) => offset < result.cleanedOffset!)
      .map(({ key }) => key)
    expect(new Set(keys).size).toBe(keys.length)
  }

  /** Readers from any offset see what they must; the rest of the log fits. */
  check(floor: number): void {
    const { log } = this
    const end = log.logEndOffset
    expect(end).toBeGreaterThanOrEqual(floor)
    const history = this.#histories
      .map(batches => batches.filter(batch => batch.lastOffset < end))
      .find(batches => this.#fits(batches))
    expect(history).toBeDefined()
    this.#histories = [history!]
    this.#recall()
    const starts = [0, ...history!.map(({ offset }) => offset)]
    for (const from of starts.filter((_, n) => n === 0 || n % 11 === 3)) this.#checkView(history!, from)
    expect(verifyFolder(this.files, FOLDER).filter(problem => !problem.includes('.deleted'))).toEqual([])
    this.#checkProducers(history!)
  }

  /** Whether everything in the log is of this history. */
  #fits(history: readonly Written[]): boolean {
    const written = new Map(
      history.flatMap(({ offset, entries }) =>
        entries.map(([key, value], n): [number, string] => [offset + n, `${key}=${value}`]),
      ),
    )
    return batchesIn(this.log)
      .filter(({ isControl }) => !isControl)
      .flatMap(({ records }) => records)
      .every(({ offset, key, value }) => written.get(offset) === `${key}=${value}`)
  }

  #checkView(history: readonly Written[], from: number): void {
    const seen = this.#view(from)
    const committed = new Set(history.flatMap(({ ends, transaction }) => (ends === 'commit' ? [transaction] : [])))
    const newest = new Map<string, { offset: number; value: string | null; at: number }>()
    for (const { offset, entries, transaction, at } of history) {
      if (transaction !== null && !committed.has(transaction)) continue
      entries.forEach(([key, value], n) => newest.set(key, { offset: offset + n, value, at }))
    }
    const stable = this.log.producers.firstUnstableOffset(this.log.logEndOffset) ?? Infinity
    for (const [key, { offset, value, at }] of newest) {
      if (offset < from || offset >= stable) continue
      const of = seen.filter(record => record.key === key)
      const isThere = of.at(-1)?.offset === offset
      if (value !== null || this.#now < at + DELETE_RETENTION_MS) expect([key, isThere]).toEqual([key, true])
      // A tombstone that is gone has taken everything before it along.
      else expect([key, isThere || of.length === 0]).toEqual([key, true])
    }
    const isWritten = (offset: number) =>
      history.some(
        b => b.offset <= offset && offset <= b.lastOffset && (b.transaction === null || committed.has(b.transaction)),
      )
    expect(seen.filter(({ offset }) => !isWritten(offset))).toEqual([])
  }

  /** What a read_committed consumer sees from `from` on, by the rules of the clients. */
  #view(from: number): { offset: number; key: string; value: string | null }[] {
    const { log } = this
    const stable = log.producers.firstUnstableOffset(log.logEndOffset) ?? log.logEndOffset
    const batches: SeenBatch[] = batchesIn(log, from).filter(({ lastOffset }) => lastOffset < stable)
    const ahead = log.abortedTransactions(from, stable).toSorted((a, b) => a.firstOffset - b.firstOffset)
    const aborted = new Set<number>()
    const seen: { offset: number; key: string; value: string | null }[] = []
    for (const batch of batches) {
      while (ahead.length > 0 && ahead[0]!.firstOffset <= batch.lastOffset) aborted.add(ahead.shift()!.producerId)
      if (batch.isControl) {
        // Of the type of a marker a reader sees the key.
        if (batch.count > 0 && batch.records[0]!.key === '\0\0\0\0') aborted.delete(batch.producerId)
      } else if (batch.producerId < TRANSACTIONAL || !aborted.has(batch.producerId)) {
        seen.push(...batch.records.filter(({ offset }) => offset >= from))
      }
    }
    return seen
  }

  #checkProducers(history: readonly Written[]): void {
    const last = new Map<number, Written>()
    for (const batch of history) if (batch.producer >= 0 && batch.ends === null) last.set(batch.producer, batch)
    for (const [producer, { lastSequence, lastOffset }] of last) {
      expect(this.log.producers.entry(producer)?.batches.at(-1)).toMatchObject({ lastSequence, lastOffset })
    }
  }

  /** After a loss producers go on where the log ends. */
  #recall(): void {
    this.#sequences.clear()
    this.#open.clear()
    for (const { producer, lastSequence, ends, transaction } of this.#histories[0]!) {
      if (ends === null && producer >= 0) this.#sequences.set(producer, lastSequence + 1)
      if (ends !== null) this.#open.delete(producer)
      else if (transaction !== null) this.#open.set(producer, transaction)
    }
  }
}

/** Where a marker was lost, and what follows is there, the producer's next marker ends what that one had ended. */
function rejoined(history: readonly Written[]): readonly Written[] {
  const open = new Map<number, number>()
  return history.map(batch => {
    if (batch.transaction === null) return batch
    const transaction = open.get(batch.producer) ?? batch.transaction
    if (batch.ends === null) open.set(batch.producer, transaction)
    else open.delete(batch.producer)
    return { ...batch, transaction }
  })
}

function isDiskFailure(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 56 || ['ENOSPC', 'EIO', 'EHALT', 'EBADF'].includes(String(error.code))
}

/** One life with a failure at the n-th call, then a crash, and a recovery that is cut short. */
export async function compactedLife(
  steps: readonly Step[],
  o: { failAt: number; failure: Failure; choose: Chooser | null; haltRecoveryAt: number },
): Promise<Pick<CompactionModel, 'compactions' | 'segmentsLeft' | 'segmentsRewritten'> & { failed: boolean }> {
  const model = new CompactionModel()
  if (o.failAt > 0) model.files.failAt(o.failAt, o.failure)
  const failed = !(await model.run(steps))
  if (o.haltRecoveryAt > 0) {
    if (o.choose === null) model.files.kill()
    else model.files.crash(o.choose)
    model.files.failAt(o.haltRecoveryAt, { code: 'EHALT' })
    try {
      model.open(false)
    } catch (error) {
      if (!isDiskFailure(error)) throw error
    }
  }
  await model.reopen(o.choose)
  const { compactions, segmentsLeft, segmentsRewritten } = model
  return { failed, compactions, segmentsLeft, segmentsRewritten }
}
