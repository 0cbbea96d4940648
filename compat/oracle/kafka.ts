// Apache Kafka from Maven Central, one KRaft node on loopback in a folder of its own, with a small heap. The jars stay
// in ${ODRADEK_CACHE:-~/.cache/odradek}/kafka-VERSION and are fetched once.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { rmSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RECEIVER, sharedKeys } from './keys.ts'

export interface RunningKafka {
  /** host:port */
  readonly address: string
  readonly pid: number
  readonly logFile: string
  /** log.dirs */
  readonly dirs: readonly string[]
  /** Ends the process, in order or not, and starts another on the same folder. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<RunningKafka>
  /** Ends the process and removes its folder. */
  stop(): Promise<void>
}

export interface KafkaOptions {
  /** Flags of the virtual machine; by default it is small, and quick to start rather than fast. */
  readonly jvm?: readonly string[]
  /** Keys besides those of listeners and folders. */
  readonly keys?: Readonly<Record<string, string>>
  /** How many log directories; one by default. */
  readonly dirs?: number
  /** Records its voter when it is formatted (kraft.version 1), instead of naming it in the configuration. */
  readonly standalone?: boolean
}

const START_MS = 90_000
const STOP_MS = 20_000
/** Any sixteen bytes in Kafka's spelling. */
const CLUSTER_ID = 'b2RyYWRlay1vcmFjbGUtMQ'

const cache = (): string => process.env['ODRADEK_CACHE'] ?? join(homedir(), '.cache/odradek')

/** Starts one broker; rejects with the end of its log when it does not come up. */
export async function startKafka(
  version: string,
  { jvm = quickToStart, keys = sharedKeys, dirs = 1, standalone = false }: KafkaOptions = {},
): Promise<RunningKafka> {
  const needsReceiver = keys['metric.reporters']?.includes(RECEIVER) === true
  const classPath = needsReceiver ? withReceiver(version) : jars(version)
  const folder = mkdtempSync(join(tmpdir(), `odradek-oracle-${version}-`))
  const [port, controllerPort] = await freePorts(2)
  const address = `127.0.0.1:${port}`
  const properties = join(folder, 'server.properties')
  const logFile = join(folder, 'server.log')
  const paths = Array.from({ length: dirs }, (_, i) => join(folder, i === 0 ? 'data' : `data${i}`))
  writeFileSync(
    properties,
    propertiesOf({ port: port!, controllerPort: controllerPort!, dirs: paths, standalone }, keys),
  )
  const logging = loggingOf(version, folder)
  format([...logging, '-cp', classPath], properties, standalone)
  const args = [...jvm, ...logging, '-cp', classPath, 'kafka.Kafka', properties]
  return run({ address, folder, logFile, dirs: paths, args })
}

/** The files of a directory that was formatted with a recorded voter, by their paths in it. */
export async function formattedStandalone(version: string): Promise<Map<string, Buffer>> {
  const folder = mkdtempSync(join(tmpdir(), `odradek-oracle-${version}-`))
  try {
    const [port, controllerPort] = await freePorts(2)
    const data = join(folder, 'data')
    const properties = join(folder, 'server.properties')
    const told = { port: port!, controllerPort: controllerPort!, dirs: [data], standalone: true }
    writeFileSync(properties, propertiesOf(told, { 'node.id': sharedKeys['node.id']! }))
    format([...loggingOf(version, folder), '-cp', jars(version)], properties, true)
    const all = readdirSync(data, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
    const paths = all.map(({ parentPath, name }) => join(parentPath, name)).sort()
    return new Map(paths.map(path => [relative(data, path), readFileSync(path)]))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function run(o: Pick<RunningKafka, 'address' | 'logFile' | 'dirs'> & { folder: string; args: string[] }): RunningKafka {
  const { address, folder, logFile, dirs, args } = o
  const log = openSync(logFile, 'a')
  const child = spawn('java', args, { cwd: folder, stdio: ['ignore', log, log] })
  closeSync(log)
  const exited = new Promise<void>(resolve => void child.once('exit', () => resolve()))
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    process.off('exit', kill)
    child.kill(signal)
    const timer = setTimeout(kill, STOP_MS)
    await exited
    clearTimeout(timer)
  }
  return {
    address,
    dirs,
    pid: child.pid!,
    get logFile() {
      if (child.exitCode !== null) throw new Error(`Apache Kafka ended: ${readFileSync(logFile, 'utf8').slice(-4000)}`)
      return logFile
    },
    async restart(signal) {
      await end(signal)
      return run(o)
    },
    async stop() {
      await end('SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** How long a broker may take until it answers. */
export const startMs = START_MS

const quickToStart = ['-Xms96m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.awt.headless=true']

function format(jvm: readonly string[], properties: string, standalone: boolean): void {
  const flags = ['-t', CLUSTER_ID, '-c', properties, ...(standalone ? ['--standalone'] : [])]
  const args = ['-Xmx128m', '-XX:TieredStopAtLevel=1', ...jvm, 'kafka.tools.StorageTool', 'format', ...flags]
  const { status, stdout, stderr } = spawnSync('java', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`StorageTool: ${stdout}${stderr}`)
}

interface Told {
  readonly port: number
  readonly controllerPort: number
  readonly dirs: readonly string[]
  readonly standalone: boolean
}

const propertiesOf = (
  { port, controllerPort, dirs, standalone }: Told,
  keys: Readonly<Record<string, string>>,
): string =>
  Object.entries({
    'process.roles': 'broker,controller',
    ...(standalone
      ? { 'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}` }
      : { 'controller.quorum.voters': `1@127.0.0.1:${controllerPort}` }),
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': dirs.join(','),
    ...keys,
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')

/** Warnings and errors to the process's output; Kafka 4 uses log4j 2, before it was reload4j. */
function loggingOf(version: string, folder: string): string[] {
  if (version.startsWith('3.')) {
    const file = join(folder, 'log4j.properties')
    const lines = [
      'log4j.rootLogger=WARN, out',
      'log4j.appender.out=org.apache.log4j.ConsoleAppender',
      'log4j.appender.out.layout=org.apache.log4j.PatternLayout',
      'log4j.appender.out.layout.ConversionPattern=%d %p %m (%c)%n',
    ]
    writeFileSync(file, `${lines.join('\n')}\n`)
    return [`-Dlog4j.configuration=file:${file}`]
  }
  const file = join(folder, 'log4j2.properties')
  const lines = [
    'rootLogger.level=WARN',
    'rootLogger.appenderRef.out.ref=out',
    'appender.out.type=Console',
    'appender.out.name=out',
    'appender.out.layout.type=PatternLayout',
    'appender.out.layout.pattern=%d %p %m (%c)%n%xEx',
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  return [`-Dlog4j2.configurationFile=${file}`]
}

/** Ports that are free now. All are held until the last is found, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer()
      return new Promise<typeof server>((resolve, reject) => {
        server.once('error', reject).listen(0, '127.0.0.1', () => resolve(server))
      })
    }),
  )
  const ports = servers.map(server => (server.address() as { port: number }).port)
  await Promise.all(servers.map(server => new Promise(resolve => void server.close(resolve))))
  return ports
}

/** The class path, sorted. Fetches the jars where they are not there yet. */
export function jars(version: string): string {
  const folder = join(cache(), `kafka-${version}`)
  if (!existsSync(folder)) download(version, folder)
  return readdirSync(folder)
    .filter(name => name.endsWith('.jar'))
    .sort()
    .map(name => join(folder, name))
    .join(':')
}

/** The jars, and the plugin of java/Receiver.java, compiled once. */
function withReceiver(version: string): string {
  const classPath = jars(version)
  const source = fileURLToPath(new URL('java/Receiver.java', import.meta.url))
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16)
  const folder = join(cache(), `kafka-${version}`, `receiver-${hash}`)
  if (!existsSync(folder)) {
    const working = mkdtempSync(join(cache(), 'compiling-'))
    const classes = join(working, 'classes')
    const args = ['-nowarn', '-d', classes, '-cp', classPath, source]
    const { status, stdout, stderr } = spawnSync('javac', args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`javac: ${stdout}${stderr}`)
    // Whole or not at all: another run may be looking for it.
    if (!existsSync(folder)) renameSync(classes, folder)
    rmSync(working, { recursive: true, force: true })
  }
  return `${folder}:${classPath}`
}

function download(version: string, folder: string): void {
  mkdirSync(cache(), { recursive: true })
  const working = mkdtempSync(join(cache(), 'fetching-'))
  const pom = join(working, 'pom.xml')
  writeFileSync(pom, pomOf(version))
  console.log(`Fetching Apache Kafka ${version} with Maven into ${folder}`)
  const args = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime']
  const { status, stdout, stderr } = spawnSync('mvn', [...args, `-DoutputDirectory=${join(working, 'lib')}`], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`Maven: ${stdout}${stderr}`)
  // Whole or not at all: another run may be looking for it.
  if (!existsSync(folder)) renameSync(join(working, 'lib'), folder)
  rmSync(working, { recursive: true, force: true })
}

function pomOf(version: string): string {
  const kafka = ['kafka_2.13', 'kafka-tools', 'kafka-clients'].map(id => ['org.apache.kafka', id, version])
  const logging = version.startsWith('3.')
    ? [['org.slf4j', 'slf4j-reload4j', '1.7.36']]
    : [
        ['org.apache.logging.log4j', 'log4j-core', '2.25.3'],
        ['org.apache.logging.log4j', 'log4j-slf4j-impl', '2.25.3'],
      ]
  const dependencies = [...kafka, ...logging].map(
    ([group, id, of]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${id}</artifactId><version>${of}</version></dependency>`,
  )
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>oracle</groupId><artifactId>oracle</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join('\n')}</dependencies></project>
`
}
