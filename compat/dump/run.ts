// Apache Kafka's DumpLogSegments (4.3.1, from Maven Central) over a data directory that this broker wrote: every batch
// and record, the indexes, the producer snapshots, the offsets of groups, the metadata of the cluster. Then our own dump beside it,
// on the same files, and on damaged ones (seeded: COMPAT_SEED).
// `npm run compat -- dump`, or `npx tsx compat/dump/run.ts`
import { deepEqual, equal, notEqual, ok } from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { run as odradek } from '../../src/cli/commands/dump.ts'
import { run as verify } from '../../src/cli/commands/verify.ts'
import { inspectFile } from '../../storage/inspect.ts'
import { diskFiles } from '../../storage/files-disk.ts'
import { Suite } from '../harness/index.ts'
import { plugInCodecs } from '../kafkajs/codecs.ts'
import { judge } from './corpus.ts'
import { byFile, dump, files, missing, unexpected } from './dump.ts'
import { writeMix, type Mix } from './mix.ts'

const suite = new Suite({ 'log.roll.ms': 3_600_000 })
const reason = missing()
let mix: Mix
let dataDir = ''

const segments = (...endings: string[]): string[] => files(dataDir, /-\d+$/, ...endings).filter(isData)
const isData = (path: string): boolean => !path.includes('__cluster_metadata-')
const quiet = {
  out: () => undefined,
  err: () => undefined,
  drained: () => Promise.resolve(),
  exit: () => undefined,
  errTerminal: false,
  now: () => 0,
}

/** Our command on the same files with the same flags: its lines by file. */
async function odradekDump(paths: readonly string[], flags: readonly string[]): Promise<Map<string, string[]>> {
  let text = ''
  let complaints = ''
  await odradek(['--files', paths.join(','), ...flags], {
    ...quiet,
    out: more => void (text += more),
    err: more => void (complaints += more),
  })
  equal(complaints, '')
  return byFile(text)
}

/** Of time indexes the tool does not say so. */
const isEmpty = (path: string): boolean => path.endsWith('.index') && statSync(path).size === 0
const folder = (path: string): string => relative(dataDir, path).split('/')[0]!

if (reason === null) {
  await plugInCodecs()

  suite.scenario(
    'a mix of everything is written, with a kill -9 in the middle',
    async context => {
      dataDir = context.broker.dataDir!
      mix = await writeMix(context)
      await context.broker.stop()
    },
    { ours: true, timeoutMs: 120_000 },
  )

  suite.scenario(
    '--deep-iteration --print-data-log: every batch is valid, every record is there',
    async () => {
      const logs = segments('.log').filter(path => folder(path).startsWith(mix.topic))
      const output = dump(logs, '--deep-iteration', '--print-data-log')
      const codecs = new Set<string>()
      const records = new Map<string, number>()
      for (const [path, lines] of output) {
        deepEqual(unexpected(lines), [], path)
        for (const line of lines) codecs.add(/compresscodec: (\w+)/.exec(line)?.[1] ?? 'none')
        const found = lines.filter(line => line.startsWith('| offset: '))
        records.set(folder(path), (records.get(folder(path)) ?? 0) + found.length)
      }
      for (const partition of [0, 1, 2]) equal(records.get(`${mix.topic}-${partition}`), mix.records)
      deepEqual(
        [...codecs].toSorted((a, b) => (a < b ? -1 : 1)),
        ['gzip', 'lz4', 'none', 'snappy', 'zstd'],
      )
      ok(segments('.log').filter(path => folder(path) === `${mix.topic}-0`).length > 1, 'no segment was rolled')
      ok([...output.values()].flat().some(line => line.includes('wert-値-🎈')))
    },
    { ours: true, timeoutMs: 60_000 },
  )

  suite.scenario(
    '--verify-index-only: the indexes agree with the logs',
    async () => {
      const paths = segments('.index', '.timeindex')
      notEqual(paths.length, 0)
      for (const [path, lines] of dump(paths, '--verify-index-only')) {
        deepEqual(lines, isEmpty(path) ? [`${path} is empty.`] : [], path)
      }
    },
    { ours: true, timeoutMs: 60_000 },
  )

  suite.scenario(
    '--index-sanity-check: every index passes',
    async () => {
      for (const [path, lines] of dump(segments('.index', '.timeindex'), '--index-sanity-check')) {
        ok(
          lines.length === 1 && lines[0]?.endsWith(isEmpty(path) ? ' is empty.' : ' passed sanity check.'),
          lines.join('\n'),
        )
      }
    },
    { ours: true, timeoutMs: 60_000 },
  )

  suite.scenario(
    'indexes and producer snapshots: the tool prints what our own reader prints',
    async () => {
      const disk = diskFiles(dataDir)
      const paths = segments('.index', '.timeindex', '.snapshot')
      let entries = 0
      for (const [path, lines] of dump(paths)) {
        const ours = [...inspectFile(disk, relative(dataDir, path), { shown: () => path })]
        deepEqual(lines, ours, path)
        entries += ours.length
      }
      ok(entries > 100, `${entries} entries`)
      ok(segments('.snapshot').length > 0)
    },
    { ours: true, timeoutMs: 60_000 },
  )

  suite.scenario(
    '--offsets-decoder: the group and its commits',
    async () => {
      const paths = files(dataDir, /^__consumer_offsets-\d+$/, '.log')
      const lines = [...dump(paths, '--offsets-decoder', '--print-data-log').values()].flat()
      deepEqual(unexpected(lines), [])
      const text = lines.filter(line => line.includes(mix.group))
      ok(
        text.some(line => line.includes('"protocolType":"consumer"')),
        text.join('\n'),
      )
      for (const partition of [0, 1, 2]) {
        const key = `"group":"${mix.group}","topic":"${mix.topic}","partition":${partition}`
        const commits = text.filter(line => line.includes(key))
        ok(commits.at(-1)?.includes(`"offset":${mix.records}`), commits.at(-1) ?? `no commit of ${partition}`)
      }
    },
    { ours: true, timeoutMs: 60_000 },
  )

  suite.scenario(
    '--cluster-metadata-decoder: topics made, widened, configured and deleted',
    async () => {
      const paths = files(dataDir, /^__cluster_metadata-0$/, '.log', '.checkpoint')
      const lines = [...dump(paths, '--cluster-metadata-decoder').values()].flat()
      deepEqual(
        lines.filter(line => /fail|error|unable|exception|isvalid: false/i.test(line)),
        [],
      )
      const records = lines
        .filter(line => line.includes(' payload: '))
        .map(
          line =>
            JSON.parse(line.slice(line.indexOf(' payload: ') + 10)) as { type: string; data: Record<string, unknown> },
        )
      const of = (type: string) => records.filter(record => record.type === type).map(({ data }) => data)
      const id = (name: string) => of('TOPIC_RECORD').find(data => data['name'] === name)?.['topicId']
      ok(id(mix.topic))
      deepEqual(
        of('PARTITION_RECORD')
          .filter(data => data['topicId'] === id(mix.topic))
          .map(data => data['partitionId']),
        [0, 1, 2],
      )
      const config = of('CONFIG_RECORD').find(
        data => data['resourceName'] === mix.topic && data['name'] === 'segment.bytes',
      )
      equal(config?.['value'], '1048576')
      ok(of('REMOVE_TOPIC_RECORD').some(data => data['topicId'] === id(mix.deleted)))
      ok(of('FEATURE_LEVEL_RECORD').some(data => data['name'] === 'metadata.version'))
      ok(of('REGISTER_BROKER_RECORD').length > 0)
      equal(existsSync(join(dataDir, `${mix.deleted}-0`)), false)
    },
    { ours: true, timeoutMs: 60_000 },
  )

  suite.scenario(
    'odradek dump prints what the tool prints of all of these files, line for line',
    async () => {
      const logs = segments('.log')
      const offsets = files(dataDir, /^__consumer_offsets-\d+$/, '.log')
      const metadata = files(dataDir, /^__cluster_metadata-0$/, '.log', '.checkpoint')
      let compared = 0
      for (const [paths, ...flags] of [
        [logs],
        [logs, '--deep-iteration'],
        [logs, '--print-data-log'],
        [logs, '--print-data-log', '--skip-record-metadata'],
        [logs, '--deep-iteration', '--max-bytes', '5000'],
        [segments('.index', '.timeindex', '.txnindex', '.snapshot')],
        [segments('.index', '.timeindex'), '--verify-index-only'],
        [segments('.index', '.timeindex'), '--index-sanity-check'],
        [offsets, '--offsets-decoder'],
        [metadata, '--cluster-metadata-decoder'],
      ] as [string[], ...string[]][]) {
        const theirs = dump(paths, ...flags)
        const ours = await odradekDump(paths, flags)
        deepEqual(ours, theirs, flags.join(' '))
        for (const lines of theirs.values()) compared += lines.length
      }
      ok(compared > 10_000, `${compared} lines`)
    },
    { ours: true, timeoutMs: 120_000 },
  )

  suite.scenario(
    'odradek verify finds nothing wrong with the directory',
    async () => {
      const seen: string[] = []
      await verify([dataDir], { ...quiet, out: text => void seen.push(text), exit: code => equal(code, 0) })
      ok(seen.join('').endsWith(': nothing is wrong\n'), seen.join(''))
    },
    { ours: true },
  )

  suite.scenario(
    'damaged files: the verdicts of the tool and ours, and what both print, agree; once repaired the tool finds nothing',
    async context => {
      const work = mkdtempSync(join(tmpdir(), 'odradek-damaged-'))
      context.after(() => rmSync(work, { recursive: true, force: true }))
      const seed = Number(process.env['COMPAT_SEED'] ?? 1)
      const verdicts = await judge(seed, 400, work)
      const { differences, ...counts } = verdicts
      console.log(`     seed ${seed}: ${JSON.stringify(counts)}`)
      deepEqual(differences, [])
      ok(verdicts.bothBad > verdicts.cases / 2)
    },
    { ours: true, timeoutMs: 300_000 },
  )

  await suite.run()
} else {
  suite.skip('all of DumpLogSegments', reason)
  suite.end()
}
