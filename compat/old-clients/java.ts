// kafka-clients of old releases from Maven Central, driven by two small programs compiled against each of them.
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ALL_CODECS, cache, here, output, type OldClient } from './client.ts'

/** `speaks` names what the client sends to us; 0.8.2 has a producer alone. */
export const java = (version: string, hasConsumer = true): OldClient => {
  const jars = cache('java', version, 'lib')
  const classes = cache('java', version, 'classes')
  const program = (name: string, args: readonly string[]) =>
    output('java', ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', `${classes}:${jars}/*`, name, ...args])
  return {
    name: `Java ${version}`,
    codecs: ALL_CODECS,
    groups: true,
    async install() {
      if (!readdirSync(jars).some(name => name === `kafka-clients-${version}.jar`)) await fetch(version, jars)
      const sources = hasConsumer ? ['OldProducer', 'OldConsumer'] : ['OldProducer']
      const paths = sources.map(name => join(here, 'java', `${name}.java`))
      await output('javac', ['-nowarn', '-Xlint:-options', '-d', classes, '-cp', `${jars}/*`, ...paths], { ms: 60_000 })
    },
    produce: (bootstrap, topic, label, codecs) => program('OldProducer', [bootstrap, topic, label, ...codecs]),
    consume: hasConsumer
      ? (bootstrap, topic, group, count) => program('OldConsumer', [bootstrap, topic, group, String(count)])
      : null,
  }
}

/** What the client depends on; today's machines need a newer snappy-java than old releases name. */
async function fetch(version: string, target: string): Promise<void> {
  const folder = cache('java', version)
  const dependency = (group: string, name: string, v: string) =>
    `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${v}</version></dependency>`
  writeFileSync(
    join(folder, 'pom.xml'),
    `<project><modelVersion>4.0.0</modelVersion><groupId>odradek</groupId><artifactId>old</artifactId><version>1</version><dependencies>
${dependency('org.apache.kafka', 'kafka-clients', version)}
${dependency('org.slf4j', 'slf4j-nop', '1.7.36')}
${dependency('org.xerial.snappy', 'snappy-java', '1.1.10.5')}
</dependencies></project>`,
  )
  const goal = ['-q', '-B', 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${target}`]
  await output('mvn', goal, { cwd: folder, ms: 120_000 })
  if (!existsSync(join(target, `kafka-clients-${version}.jar`)))
    throw new Error(`Maven has no kafka-clients ${version}`)
}
