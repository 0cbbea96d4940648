// Kafka's own DumpLogSegments over files of a data directory, and what its output says.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { jars } from '../oracle/kafka.ts'

export const VERSION = '4.3.1'

/** Why the tool cannot run here, or null. */
export function missing(): string | null {
  for (const [program, flag] of [
    ['java', '-version'],
    ['mvn', '-v'],
  ] as const) {
    if (spawnSync(program, [flag]).status !== 0) return `there is no ${program}`
  }
  return null
}

/** Paths below a data directory of the files with one of these endings, sorted. */
export function files(dataDir: string, folder: RegExp, ...endings: string[]): string[] {
  return readdirSync(dataDir)
    .filter(name => folder.test(name))
    .flatMap(name => readdirSync(join(dataDir, name)).map(file => join(dataDir, name, file)))
    .filter(path => endings.some(ending => path.endsWith(ending)))
    .toSorted((a, b) => (a < b ? -1 : 1))
}

/** The tool misses the records before a segment's first one, of Apache Kafka's own segments too. */
const firstSegments = /^Non-consecutive offsets in .*\/0*(\d+)\.log\n {2}-1 is followed by \1\n/gm

/** The tool's output by file. Throws when it fails or writes anything to standard error. */
export function dump(paths: readonly string[], ...options: string[]): Map<string, string[]> {
  const jvm = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Dlog4j2.level=ERROR']
  const tool = ['-cp', jars(VERSION), 'org.apache.kafka.tools.DumpLogSegments']
  const { status, stdout, stderr } = spawnSync('java', [...jvm, ...tool, '--files', paths.join(','), ...options], {
    encoding: 'utf8',
    maxBuffer: 256 << 20,
  })
  const complaints = stderr.replaceAll(firstSegments, '').trim()
  if (status !== 0 || complaints !== '') throw new Error(`exit code ${status}: ${complaints}`)
  const output = byFile(stdout)
  if (output.size !== paths.length) throw new Error(`${output.size} of ${paths.length} files in the output:\n${stdout}`)
  return output
}

/** Lines by the file they tell of. */
export function byFile(text: string): Map<string, string[]> {
  const output = new Map<string, string[]>()
  let lines: string[] = []
  for (const line of text.split('\n').filter(one => one !== '')) {
    if (line.startsWith('Dumping ')) output.set(line.slice('Dumping '.length), (lines = []))
    else lines.push(line)
  }
  return output
}

/** Lines that report something wrong: anything but batches, records and the line that names the first offset. */
export const unexpected = (lines: readonly string[]): string[] =>
  lines.filter(line => !/^(?:baseOffset: .* isvalid: true$|\| offset: |Log starting offset: )/.test(line))
