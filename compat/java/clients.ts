// kafka-clients of several releases from Maven Central: one program for each, compiled against it, that checks whatever
// this release can do and prints a line for each check.
import { deepStrictEqual } from 'node:assert'
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import {
  clientJars,
  external,
  mavenJars,
  startBroker,
  type BrokerUnderTest,
  type Context,
  type Suite,
} from '../harness/index.ts'
import { cache, compile } from './tools/runner.ts'

interface Release {
  readonly version: string
  /** Folders of sources that fit it. */
  readonly folders: readonly string[]
}

const releases: readonly Release[] = [
  { version: '2.1.1', folders: ['base', 'until28', 'until39'] },
  { version: '2.8.2', folders: ['base', 'until28', 'until39', 'since28'] },
  { version: '3.9.1', folders: ['base', 'until39', 'since28', 'since39'] },
  { version: '4.4.0', folders: ['base', 'since28', 'since39', 'since4'] },
]

/** In this order, those that were compiled. */
const programs = [
  'Records',
  'Groups',
  'GroupsSince28',
  'Transactions',
  'AdminBase',
  'AdminUntil39',
  'AdminSince28',
  'AdminSince39',
  'AdminSince4',
  'Restart',
]

const here = dirname(fileURLToPath(import.meta.url))
const PROGRAM_MS = 180_000

/** Fetches the jars where they are not there yet, compiles what is newer than last time; returns the class path. */
async function install({ version, folders }: Release): Promise<{ classPath: string; names: string[] }> {
  const jars = await mavenJars(`clients-${version}`, clientJars(version))
  const sources = folders.flatMap(name => {
    const path = join(here, 'clients', name)
    return readdirSync(path).map(file => join(path, file))
  })
  const classes = cache('clients', version, 'classes')
  compile(sources, jars, classes)
  const names = programs.filter(name => sources.some(path => path.endsWith(`/${name}.java`)))
  return { classPath: `${classes}:${jars}`, names }
}

/** Runs the program of one release; each of its checks is a scenario of the suite. */
async function check(suite: Suite, release: Release, broker: BrokerUnderTest, context: Context): Promise<void> {
  const { classPath, names } = await install(release)
  // A broker that is not ours is not stopped.
  const chosen = external === undefined ? names : names.filter(name => name !== 'Restart')
  const flags = ['-Xmx160m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Dfile.encoding=UTF-8']
  const prefix = `v${release.version.replaceAll('.', '')}`
  const child = spawn('java', [...flags, '-cp', classPath, 'Main', broker.bootstrap, prefix, ...chosen], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  context.after(() => child.kill('SIGKILL'))
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints = (complaints + text).slice(-2000)))
  let isComplete = false
  for await (const line of createInterface({ input: child.stdout })) {
    const passed = /^ok (.*) \((\d+) ms\)$/.exec(line)
    if (passed !== null) suite.pass(`${release.version} ${passed[1]}`, Number(passed[2]))
    else if (line.startsWith('FAIL ')) suite.fail(release.version, line.slice('FAIL '.length))
    else if (line === 'please restart') await broker.restart()
    else if (line === 'please kill') {
      await broker.kill9()
      await broker.start()
    } else if (line === 'end') isComplete = true
    if (line.startsWith('please')) child.stdin.write('done\n')
  }
  if (!isComplete) throw new Error(`the program of ${release.version} ended early: ${complaints}`)
}

const keys = {
  'group.initial.rebalance.delay.ms': 0,
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 500,
  // Records have times long past, and must stay.
  'log.retention.ms': -1,
}

/** Two at a time, each with a broker of its own: they wait more than they work. */
export function addClients(suite: Suite): void {
  for (let i = 0; i < releases.length; i += 2) {
    const pair = releases.slice(i, i + 2)
    const names = pair.map(({ version }) => version).join(' and ')
    suite.scenario(
      `clients ${names}: their programs end`,
      async context => {
        const brokers: BrokerUnderTest[] = []
        // One after the other: each looks for a port that is free.
        for (const _ of pair) {
          // oxlint-disable-next-line no-await-in-loop -- see above
          const broker = external === undefined ? await startBroker(keys) : context.broker
          brokers.push(broker)
          if (broker !== context.broker) context.after(() => broker.dispose())
        }
        await Promise.all(pair.map((release, n) => check(suite, release, brokers[n]!, context)))
        for (const broker of brokers) deepStrictEqual(broker.complaints(), [])
      },
      { timeoutMs: PROGRAM_MS },
    )
  }
}
