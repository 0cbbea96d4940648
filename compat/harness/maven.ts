// Jars from Maven Central with all that they need, in a folder that outlives the run and lies outside the checkout.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const FETCH_MS = 300_000

/** Where downloads and compiled classes are kept: `ODRADEK_CACHE`, or a folder in the user's cache. Made if missing. */
export function cacheFolder(...parts: string[]): string {
  const folder = join(process.env['ODRADEK_CACHE'] ?? join(homedir(), '.cache/odradek'), ...parts)
  mkdirSync(folder, { recursive: true })
  return folder
}

/**
 * The class path of these artifacts, each `group:name:version`. Fetches what is not there yet, whole or not at all; rejects
 * with Maven's reason.
 */
export async function mavenJars(name: string, artifacts: readonly string[]): Promise<string> {
  const cache = cacheFolder('maven')
  const folder = join(cache, name)
  if (!existsSync(folder)) {
    const working = mkdtempSync(join(cache, 'fetching-'))
    try {
      writeFileSync(join(working, 'pom.xml'), pomOf(artifacts))
      const goal = ['-q', '-B', 'dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=lib']
      await run('mvn', goal, { cwd: working, timeout: FETCH_MS })
      // Another run may have been quicker.
      if (!existsSync(folder)) renameSync(join(working, 'lib'), folder)
    } finally {
      rmSync(working, { recursive: true, force: true })
    }
  }
  return join(folder, '*')
}

/** kafka-clients of one release with what its codecs need; before 3.0 in a snappy that runs on machines of today. */
export const clientJars = (version: string): string[] => [
  `org.apache.kafka:kafka-clients:${version}`,
  'org.slf4j:slf4j-nop:1.7.36',
  ...(version.startsWith('2.') ? ['org.xerial.snappy:snappy-java:1.1.10.5'] : []),
]

function pomOf(artifacts: readonly string[]): string {
  const dependencies = artifacts.map(artifact => {
    const [group, name, version] = artifact.split(':')
    return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`
  })
  return `<project><modelVersion>4.0.0</modelVersion><groupId>odradek</groupId><artifactId>compat</artifactId><version>1</version>
<dependencies>${dependencies.join('\n')}</dependencies></project>
`
}
