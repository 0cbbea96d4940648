// A group that commits for a long time: `tsx bench/compaction/commits.ts [commits]` sends OffsetCommit after OffsetCommit to a broker in
// this process, on the disk below the temporary folder, and prints what `__consumer_offsets` takes there and how long it loads.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OffsetCommit, OffsetFetch } from '../../protocol/messages/index.ts'
import { diskFiles } from '../../storage/files-disk.ts'
import { apis } from '../../src/apis/index.ts'
import { openBroker, type OpenBroker } from '../../src/broker/open.ts'
import { parse } from '../../src/config/index.ts'
import { recordingLogger, systemRuntime, type LogLine } from '../../src/runtime/index.ts'

const commits = Number(process.argv[2] ?? 1_000_000)
const IN_FLIGHT = 1000
const GROUP = 'group'

const folder = mkdtempSync(join(tmpdir(), 'odradek-commits-'))
const lines: LogLine[] = []
const runtime = systemRuntime(recordingLogger(lines))
const config = parse({
  flags: { 'offsets.topic.num.partitions': 1, 'num.partitions': 10, 'log.cleaner.backoff.ms': 1000 },
})
const start = (): Promise<OpenBroker> =>
  openBroker({ config, runtime, directories: [{ path: folder, files: diskFiles(folder) }], durable: true })

function ask(opened: OpenBroker, api: typeof OffsetCommit | typeof OffsetFetch, apiVersion: number, request: unknown) {
  const context = {
    broker: opened.broker,
    connection: {
      id: 1,
      localAddress: '127.0.0.1',
      localPort: 9092,
      remoteAddress: '127.0.0.1',
      remotePort: 1,
      listenerName: 'PLAINTEXT',
      softwareName: null,
      softwareVersion: null,
      onClose: () => () => undefined,
    },
    apiVersion,
    clientId: 'bench',
    now: runtime.clock.now(),
    closeConnection: () => undefined,
    holdNext: () => undefined,
  }
  const handler = apis.find(({ api: { key } }) => key === api.key)!
  return handler.handle(request, context as never)
}

const commit = (opened: OpenBroker, offset: number) =>
  ask(opened, OffsetCommit, 7, {
    groupId: GROUP,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics: [
      {
        name: 'topic',
        partitions: [
          { partitionIndex: offset % 10, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: '' },
        ],
      },
    ],
  })

function bytesIn(path: string): { bytes: number; files: number } {
  const found = readdirSync(path).filter(name => !name.endsWith('.deleted'))
  return { bytes: found.reduce((sum, name) => sum + statSync(join(path, name)).size, 0), files: found.length }
}

try {
  let opened = await start()
  await opened.broker.autoCreateTopics(['topic'])
  await opened.broker.ensureInternalTopic('__consumer_offsets')
  const first = (await commit(opened, 0)) as { topics: { partitions: { errorCode: number }[] }[] }
  if (first.topics[0]!.partitions[0]!.errorCode !== 0) throw new Error(JSON.stringify(first))
  const from = performance.now()
  let most = 0
  for (let n = 0; n < commits; n += IN_FLIGHT) {
    await Promise.all(Array.from({ length: IN_FLIGHT }, (_, i) => commit(opened, n + i)))
    if (n > 0 && n % 50_000 === 0) most = Math.max(most, bytesIn(join(folder, '__consumer_offsets-0')).bytes)
  }
  const seconds = (performance.now() - from) / 1000
  const log = opened.broker.partitions.get('__consumer_offsets', 0)!.log
  console.log(
    `${commits} commits in ${seconds.toFixed(1)} s; ${log.logEndOffset} records, at most ${(most / 1e6).toFixed(1)} MB on disk meanwhile`,
  )
  const report = (when: string): void => {
    const { bytes, files } = bytesIn(join(folder, '__consumer_offsets-0'))
    console.log(`${when}: ${(bytes / 1e6).toFixed(1)} MB in ${files} files, ${log.segmentCount} segments`)
  }
  report('at the end')
  await new Promise(resolve => setTimeout(resolve, 8000))
  report('after another look of the cleaner')
  const runs = lines.filter(({ message }) => message === 'Log compacted')
  console.log(`${runs.length} compactions`, JSON.stringify(runs.at(-1)))
  opened.quiesce()
  await opened.close()
  const reopen = performance.now()
  const cpuFrom = process.cpuUsage()
  opened = await start()
  await opened.broker.coordinatorsLoaded()
  const { user, system } = process.cpuUsage(cpuFrom)
  console.log(
    `start and load: ${(performance.now() - reopen).toFixed(0)} ms, ${((user + system) / 1000).toFixed(0)} ms of CPU`,
  )
  for (const { fields, message } of lines) if (message.includes('loaded')) console.log(message, JSON.stringify(fields))
  const fetched = await ask(opened, OffsetFetch, 8, {
    groups: [{ groupId: GROUP, memberId: null, memberEpoch: -1, topics: null }],
    requireStable: false,
  })
  console.log(JSON.stringify(fetched).slice(0, 300))
  opened.quiesce()
  await opened.close()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
