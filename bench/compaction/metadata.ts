// A snapshot of the metadata measured by hand: `tsx bench/compaction/metadata.ts [topics] [partitions]` writes some of that many topics
// with that many partitions each, on the disk below the temporary folder, and prints how late the event loop was meanwhile.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as after } from 'node:timers/promises'
import { Arena } from '../../storage/arena.ts'
import { diskFiles } from '../../storage/files-disk.ts'
import { afterOthers } from '../../src/broker/metadata-settings.ts'
import type { MetadataView } from '../../src/cluster/image.ts'
import { Metadata } from '../../src/cluster/metadata.ts'
import { newPartitionRecord } from '../../src/cluster/placement.ts'
import type { MetadataRecord } from '../../src/cluster/records.ts'
import { openMetadataLog } from '../../src/cluster/storage-log.ts'
import { silentLogger, systemRuntime } from '../../src/runtime/index.ts'

const topics = Number(process.argv[2] ?? 50_000)
const partitions = Number(process.argv[3] ?? 1)
const ROUNDS = 5
const TOPICS_AT_ONCE = 500

const newId = (): string => `A${randomBytes(16).toString('base64url').slice(1)}`
const directory = newId()

function recordsOf(image: MetadataView, topic: string): MetadataRecord[] {
  const topicId = newId()
  return [
    { type: 'TopicRecord', value: { name: topic, topicId } },
    { type: 'ConfigRecord', value: { resourceType: 2, resourceName: topic, name: 'retention.ms', value: '1000' } },
    ...Array.from({ length: partitions }, (_, partition) => newPartitionRecord(image, topicId, partition, [1])),
  ]
}

const folder = mkdtempSync(join(tmpdir(), 'odradek-metadata-'))
const fail = (error: Error): void => {
  throw error
}
try {
  const log = openMetadataLog({
    files: diskFiles(folder),
    arena: new Arena(),
    cleanShutdown: true,
    now: Date.now,
    flush: true,
    pause: afterOthers(systemRuntime(silentLogger)),
    onError: fail,
  })
  const metadata = await Metadata.open({
    log,
    quorumState: log.quorumState,
    nodeId: 1,
    now: Date.now,
    registration: {
      incarnationId: newId(),
      endPoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
      logDirs: [directory],
      rack: null,
      cleanShutdown: true,
    },
    snapshots: { maxBytes: Number.MAX_SAFE_INTEGER, intervalMs: 0 },
    onError: fail,
  })
  for (let from = 0; from < topics; from += TOPICS_AT_ONCE) {
    const names = Array.from({ length: Math.min(TOPICS_AT_ONCE, topics - from) }, (_, n) => `topic.${from + n}`)
    await metadata.submit(image => ({ reply: null, records: names.flatMap(name => recordsOf(image, name)) }))
  }
  const delay = monitorEventLoopDelay({ resolution: 1 })
  for (let round = 1; round <= ROUNDS; round++) {
    await metadata.submit(() => ({ reply: null, records: [{ type: 'NoOpRecord', value: {} }] }))
    await after(200)
    delay.enable()
    await after(20)
    delay.reset()
    const started = performance.now()
    await metadata.writeSnapshot()
    const ms = performance.now() - started
    await after(20)
    delay.disable()
    const late = (n: number): string => `${(n / 1e6).toFixed(1)} ms`
    console.log(
      `${topics} topics with ${partitions} partitions each: written in ${ms.toFixed(0)} ms; event loop delay max ${late(delay.max)}, p99 ${late(delay.percentile(99))}`,
    )
  }
  await log.close(false)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
