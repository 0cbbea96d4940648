// Compaction measured by hand: `tsx bench/compaction/run.ts [mb] [codec] [records of a batch]` compacts a log on the disk below the
// temporary folder, with the pace of a broker, and prints MB/s, what was written, and the longest time that the event loop was held up.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { encodeBatch } from '../../protocol/records/record.ts'
import { codecReady } from '../../protocol/records/compression.ts'
import { Arena } from '../../storage/arena.ts'
import { diskFiles } from '../../storage/files-disk.ts'
import { Log } from '../../storage/log.ts'
import { cleanerPace, type CleanerPace } from '../../src/broker/cleaner-pace.ts'
import { logSettings, parse, topicConfig } from '../../src/config/index.ts'
import { silentLogger, systemRuntime } from '../../src/runtime/index.ts'

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Slices by CPU time too: on a machine that others use the clock tells more of them than of us. */
function watched(pace: CleanerPace) {
  let sliceStart = cpuMs()
  let longestCpuMs = 0
  return {
    get longestSliceMs() {
      return pace.longestSliceMs
    },
    get longestCpuMs() {
      return longestCpuMs
    },
    get isSpent() {
      return pace.isSpent
    },
    moved: (bytes: number) => pace.moved(bytes),
    async during<T>(work: Promise<T>): Promise<T> {
      longestCpuMs = Math.max(longestCpuMs, cpuMs() - sliceStart)
      try {
        return await pace.during(work)
      } finally {
        sliceStart = cpuMs()
      }
    },
    async rest() {
      longestCpuMs = Math.max(longestCpuMs, cpuMs() - sliceStart)
      await pace.rest()
      sliceStart = cpuMs()
    },
  }
}

const megabytes = Number(process.argv[2] ?? 256)
const codec = Number(process.argv[3] ?? 0)
const recordsPerBatch = Number(process.argv[4] ?? 70)
const KEYS = 200_000
const VALUE_BYTES = 200

const runtime = systemRuntime(silentLogger)
const folder = mkdtempSync(join(tmpdir(), 'odradek-compaction-'))
try {
  await codecReady(codec)
  const broker = parse({ flags: {} })
  const config = logSettings(broker, topicConfig(broker, { 'cleanup.policy': 'compact', 'segment.bytes': '67108864' }))
  const log = Log.open({
    files: diskFiles(folder),
    arena: new Arena(),
    topic: 't',
    partition: 0,
    config,
    cleanShutdown: true,
    recoveryPoint: 0,
    logStartOffset: 0,
    now: Date.now(),
  })
  let random = 1
  const next = (n: number): number => (random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0) % n
  const value = Buffer.alloc(VALUE_BYTES)
  while (log.sizeInBytes < megabytes * 1e6) {
    for (let n = 0; n < 20; n++) {
      const records = Array.from({ length: recordsPerBatch }, () => {
        for (let at = 0; at < VALUE_BYTES; at += 4) value.writeUInt32LE(next(0xffff), at)
        return { key: Buffer.from(`key-${next(KEYS)}`), value: Buffer.from(value) }
      })
      log.append(encodeBatch({ records, codec, timestamp: Date.now() }), {
        leaderEpoch: 0,
        now: Date.now(),
        origin: 'client',
      })
    }
    log.write()
  }
  log.roll(Date.now())
  await log.sync()
  const before = log.sizeInBytes
  const delay = monitorEventLoopDelay({ resolution: 1 })
  for (const round of ['first', 'again', 'once more']) {
    const now = Date.now()
    const cleanable = log.compaction.plan({ now, stableOffset: log.logEndOffset, cleanedOffset: undefined })
    const pace = watched(cleanerPace(runtime, { threads: 1, maxBytesPerSecond: Number.MAX_VALUE }))
    delay.reset()
    delay.enable()
    const from = performance.now()
    const cpuFrom = cpuMs()
    const { counts } = await log.compaction.run({
      now,
      cleanable,
      highWatermark: log.logEndOffset,
      pace,
      mapBytes: broker['log.cleaner.dedupe.buffer.size'],
      mapLoadFactor: 0.9,
      hashKey: [1, 2, 3, 4],
      bufferBytes: broker['log.cleaner.io.buffer.size'] / 2,
    })
    const seconds = (performance.now() - from) / 1000
    const cpuSeconds = (cpuMs() - cpuFrom) / 1000
    delay.disable()
    const processed = (counts.mapBytesRead + counts.bytesRead) / 1e6
    console.log(
      `${round}: ${(cleanable.cleanableBytes / 1e6).toFixed(0)} MB in ${seconds.toFixed(2)} s: ` +
        `${(cleanable.cleanableBytes / 1e6 / seconds).toFixed(0)} MB/s of log, ${(processed / seconds).toFixed(0)} MB/s read, ` +
        `${(counts.recordsRead / seconds / 1000).toFixed(0)}k records/s, ${counts.recordsRead} -> ${counts.recordsKept} records; ${(counts.bytesWritten / 1e6).toFixed(0)} MB written, ${counts.segmentsLeft} of ${counts.segmentsBefore} segments left as they are; ` +
        `${(cleanable.cleanableBytes / 1e6 / cpuSeconds).toFixed(0)} MB per CPU second; ` +
        `longest slice ${pace.longestSliceMs.toFixed(1)} ms, by CPU time ${pace.longestCpuMs.toFixed(1)} ms; event loop delay max ${(delay.max / 1e6).toFixed(1)} ms, p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`,
    )
  }
  console.log(
    `${(before / 1e6).toFixed(0)} MB before, ${(log.sizeInBytes / 1e6).toFixed(0)} MB after; ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB resident`,
  )
  await log.close(false)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
