// A log on the crash model disk beside a model of what it must hold: a script of steps, ended by a crash at any call, and
// everything that must be true after the log is opened again.
import { expect } from 'vitest'
import type { Chooser, CrashFiles, Failure } from '../../storage/files-crash.ts'
import { crashFiles } from '../../storage/files-crash.ts'
import { verifyFolder } from '../../storage/inspect-verify.ts'
import type { Log, LogConfig } from '../../storage/log.ts'
import { batchOf, config, contents, NOW, openLog } from './log-fixtures.ts'

export type Step =
  | { do: 'append'; producer: number; count: number; size: number }
  | { do: 'write' | 'sync' | 'roll' | 'retention' | 'checkpoint' | 'restart' | 'deleteFiles' | 'resend' }
  | { do: 'truncate'; back: number }
  | { do: 'advance'; fraction: number }
  | { do: 'newEpoch'; producer: number }

interface Batch {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly producer: number
  readonly epoch: number
  readonly sequence: number
  readonly values: readonly string[]
}

/** What the batches of one life of the log were; a truncation begins a new one. */
type History = readonly Batch[]

const ENDED = Symbol('the disk failed')
const FOLDER = 'topic-0'

export class Model {
  readonly files: CrashFiles = crashFiles()
  readonly config: LogConfig = config({
    segmentBytes: 1500,
    indexIntervalBytes: 150,
    segmentIndexBytes: 120,
    retentionBytes: 6000,
    fileDeleteDelayMs: 10,
    producerIdExpirationMs: 2 ** 53,
  })
  log!: Log
  /** One, or two while a truncation is under way: the log as it was first. */
  #histories: History[] = [[]]
  /** Every history that may come back has at least what lies below. */
  #floor = 0
  /** Where a truncation under way cuts. */
  #cutting = Infinity
  #checkpoint = { recoveryPoint: 0, logStartOffset: 0 }
  #sequences = new Map<number, { epoch: number; next: number }>()
  #batches = 0
  #now = NOW

  get #history(): History {
    return this.#histories[0]!
  }

  open(cleanShutdown: boolean): void {
    this.log = openLog(this.files, { config: this.config, cleanShutdown, now: this.#now, ...this.#checkpoint })
  }

  /** @returns false when the disk failed on the way: the log must be offline then, and stay so */
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

  /** Opens the log again after the process (or the machine, given a chooser) stopped, and checks all of it. */
  async reopen(choose: Chooser | null): Promise<void> {
    const written = this.log === undefined ? 0 : Math.min(this.#cutting, this.log.writtenOffset)
    if (choose === null) this.files.kill()
    else this.files.crash(choose)
    this.open(false)
    this.#check(choose === null ? written : this.#floor)
    // Opening twice changes nothing more.
    const before = contents(this.log)
    this.files.kill()
    this.open(false)
    expect(contents(this.log)).toEqual(before)
    // And the log goes on: producers are still known, and what follows is stored.
    for (const producer of this.#sequences.keys()) this.#append(producer, 2, 10)
    await this.#sync()
    this.#check(this.log.logEndOffset)
    await this.log.close(true)
    this.#saveCheckpoint()
    this.open(true)
    this.#check(this.log.logEndOffset)
  }

  async #step(step: Step): Promise<void> {
    this.#now++
    switch (step.do) {
      case 'append':
        return this.#append(step.producer, step.count, step.size)
      case 'resend':
        return this.#resend()
      case 'newEpoch': {
        const state = this.#sequences.get(step.producer)
        if (state !== undefined) this.#sequences.set(step.producer, { epoch: state.epoch + 1, next: 0 })
        return
      }
      case 'write':
        return this.log.write()
      case 'sync':
        return await this.#sync()
      case 'roll':
        return this.log.roll(this.#now)
      case 'retention':
        return void this.log.applyRetention(this.#now)
      case 'deleteFiles':
        this.#now += 10
        return void this.log.deletePendingFiles(this.#now)
      case 'checkpoint':
        return this.#saveCheckpoint()
      case 'advance': {
        const { logStartOffset, writtenOffset } = this.log
        const offset = logStartOffset + Math.floor((writtenOffset - logStartOffset) * step.fraction)
        return this.log.advanceLogStartOffset(offset)
      }
      case 'truncate':
        return this.#truncate(step.back)
      case 'restart':
        await this.log.close(true)
        // A marker of a clean stop is written only if all went well.
        if (this.log.offline !== null) throw ENDED
        this.#synced(this.log.logEndOffset)
        this.#saveCheckpoint()
        this.open(true)
        return this.#check(this.log.logEndOffset)
    }
  }

  #append(producer: number, count: number, size: number): void {
    const state = this.#sequences.get(producer) ?? { epoch: 0, next: 0 }
    const prefix = `${'x'.repeat(size)}${this.#batches++}-`
    const identity = producer < 0 ? {} : { producerId: producer, producerEpoch: state.epoch, baseSequence: state.next }
    const batch = batchOf(count, prefix, { ...identity, timestamp: this.#now })
    const info = this.log.append(batch, { leaderEpoch: 0, now: this.#now, origin: 'client' })
    expect(info.duplicate).toBe(false)
    const values = Array.from({ length: count }, (_, n) => `${prefix}${n}`)
    const { firstOffset, lastOffset } = info
    expect(lastOffset - firstOffset).toBe(count - 1)
    const added = { firstOffset, lastOffset, producer, epoch: state.epoch, sequence: state.next, values }
    this.#histories[0] = [...this.#history, added]
    if (producer >= 0) this.#sequences.set(producer, { epoch: state.epoch, next: state.next + count })
  }

  /** The last batch of a producer, sent again, must be recognised. */
  #resend(): void {
    const last = this.#history.findLast(batch => batch.producer >= 0)
    if (last === undefined || this.#sequences.get(last.producer)!.epoch !== last.epoch) return
    if (last.firstOffset < this.log.logStartOffset) return
    const { producer, epoch, sequence } = last
    const batch = batchOf(last.values.length, 'again', {
      producerId: producer,
      producerEpoch: epoch,
      baseSequence: sequence,
    })
    const info = this.log.append(batch, { leaderEpoch: 0, now: this.#now, origin: 'client' })
    expect(info).toMatchObject({ duplicate: true, firstOffset: last.firstOffset, lastOffset: last.lastOffset })
  }

  async #sync(): Promise<void> {
    const end = this.log.logEndOffset
    await this.log.sync()
    this.#synced(end)
  }

  #synced(end: number): void {
    expect(this.log.syncedOffset).toBe(end)
    this.#histories = [this.#history]
    this.#floor = end
  }

  #truncate(back: number): void {
    const target = Math.max(this.log.logStartOffset, this.log.logEndOffset - back)
    const kept = this.#history.filter(batch => batch.lastOffset < target)
    // From the call on, whatever becomes of it, the log may be short or long.
    this.#histories.push(kept)
    this.#floor = Math.min(this.#floor, endOf(kept))
    this.#cutting = endOf(kept)
    this.log.truncateTo(target, this.#now)
    this.#cutting = Infinity
    // It is durable at once.
    this.#histories = [kept]
    this.#recallSequences()
    this.#saveCheckpoint()
  }

  /** The checkpoint files are replaced in one durable step, by log-dir.ts. */
  #saveCheckpoint(): void {
    this.#checkpoint = { recoveryPoint: this.log.syncedOffset, logStartOffset: this.log.logStartOffset }
  }

  /** The log holds a beginning of a history, not less than `floor` of it, and everything else fits that. */
  #check(floor: number): void {
    const { log } = this
    const found = contents(log)
    const end = log.logEndOffset
    expect(end).toBeGreaterThanOrEqual(floor)
    const candidates = this.#histories.map(history => history.filter(batch => batch.lastOffset < end))
    // A log whose records below a start that was noted are all lost begins there, empty.
    const least = this.#checkpoint.logStartOffset
    const match = candidates.findIndex(
      batches => Math.max(least, endOf(batches)) === end && same(found, records(batches, log.logStartOffset)),
    )
    if (match < 0)
      expect({ end, found }).toEqual({ end: endOf(candidates[0]!), found: records(candidates[0]!, log.logStartOffset) })
    this.#histories = [candidates[match]!]
    this.#recallSequences()
    this.#checkProducers()
    expect(log.logStartOffset).toBeGreaterThanOrEqual(this.#checkpoint.logStartOffset)
    // Of files that are about to go nothing is promised.
    expect(verifyFolder(this.files, FOLDER).filter(problem => !problem.includes('.deleted'))).toEqual([])
    const first = found[0]
    const byTime = log.offsetForTimestamp(0)
    if (first === undefined) expect(byTime).toBe(null)
    else expect(byTime?.offset).toBe(Math.max(first[0], log.logStartOffset))
  }

  #checkProducers(): void {
    const last = new Map<number, Batch>()
    for (const batch of this.#history) if (batch.producer >= 0) last.set(batch.producer, batch)
    for (const [producer, batch] of last) {
      const entry = this.log.producers.entry(producer)
      // Of a producer whose records were all deleted nothing need be known.
      if (entry === undefined && batch.firstOffset < this.log.logStartOffset) continue
      expect(entry).toMatchObject({ producerEpoch: batch.epoch, currentTxnFirstOffset: -1 })
      expect(entry!.batches.at(-1)).toMatchObject({
        lastOffset: batch.lastOffset,
        lastSequence: batch.sequence + batch.values.length - 1,
      })
    }
    for (const entry of this.log.producers.activeProducers()) expect(last.has(entry.producerId)).toBe(true)
  }

  /** After a loss producers go on where the log ends, as they do with a lost answer. */
  #recallSequences(): void {
    this.#sequences.clear()
    for (const { producer, epoch, sequence, values } of this.#history) {
      if (producer >= 0) this.#sequences.set(producer, { epoch, next: sequence + values.length })
    }
  }
}

const endOf = (batches: History): number => (batches.at(-1)?.lastOffset ?? -1) + 1

const records = (batches: History, from: number): [number, string][] =>
  batches.flatMap(({ firstOffset, lastOffset, values }) =>
    // A start inside a batch still returns the whole batch.
    lastOffset < from ? [] : values.map((value, n): [number, string] => [firstOffset + n, value]),
  )

const same = (a: readonly [number, string][], b: readonly [number, string][]): boolean =>
  a.length === b.length && a.every(([offset, value], n) => b[n]![0] === offset && b[n]![1] === value)

/** A failure of the model disk, or the answer the log gives for one. */
function isDiskFailure(error: unknown): boolean {
  if (error === ENDED) return true
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 56 || ['ENOSPC', 'EIO', 'EHALT', 'EBADF'].includes(String(error.code))
}

/** One life and what follows: `steps` with a failure at the n-th call, then a crash, a recovery that is cut short, another one. */
export async function lifeAndDeath(
  steps: readonly Step[],
  o: { failAt: number; failure: Failure; choose: Chooser | null; haltRecoveryAt: number },
): Promise<{ failed: boolean }> {
  const model = new Model()
  model.files.failAt(o.failAt, o.failure)
  const failed = !(await model.run(steps))
  if (failed && o.failure.code !== 'EHALT' && model.log !== undefined && model.log.offline !== null) {
    expect(() => model.log.append(batchOf(1), { leaderEpoch: 0, now: NOW, origin: 'client' })).toThrow('offline')
    await expect(model.log.sync()).rejects.toThrow('offline')
  }
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
  return { failed }
}
