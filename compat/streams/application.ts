// Kafka Streams from Maven Central, and instances of the application in java/, each a process with a state folder of its own.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder, eventually, mavenJars } from '../harness/index.ts'

const VERSION = '4.3.1'
const here = dirname(fileURLToPath(import.meta.url))
const run = promisify(execFile)
let classPath = ''

/** Rejects with the reason when it cannot be had here. */
export async function install(): Promise<void> {
  const wanted = [`org.apache.kafka:kafka-streams:${VERSION}`, 'org.slf4j:slf4j-nop:1.7.36']
  const jars = await mavenJars(`streams-${VERSION}`, wanted)
  const classes = cacheFolder('streams-classes')
  await run('javac', ['-nowarn', '-d', classes, '-cp', jars, join(here, 'java/WordsAndJoins.java')])
  classPath = `${classes}:${jars}`
}

export interface Topics {
  readonly lines: string
  readonly counts: string
  readonly left: string
  readonly right: string
  readonly joined: string
}

export interface Setting {
  readonly bootstrap: string
  readonly applicationId: string
  readonly guarantee: 'at_least_once' | 'exactly_once_v2'
  readonly topics: Topics
}

export class Instance {
  readonly output: string[] = []
  readonly #process: ChildProcess

  constructor({ bootstrap, applicationId, guarantee, topics }: Setting, stateFolder: string) {
    const { lines, counts, left, right, joined } = topics
    const jvm = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', classPath, 'WordsAndJoins']
    const args = [bootstrap, applicationId, stateFolder, guarantee, lines, counts, left, right, joined]
    this.#process = spawn('java', [...jvm, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#process.stdout!, this.#process.stderr!]) {
      createInterface({ input: stream }).on('line', line => void this.output.push(line))
    }
  }

  get state(): string {
    return this.output.findLast(line => line.startsWith('state '))?.slice(6) ?? ''
  }

  /** Records that stores were filled with from their changelogs. */
  get restored(): number {
    const counts = this.output.filter(line => line.startsWith('restored ')).map(line => Number(line.slice(9)))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  async running(): Promise<void> {
    await eventually('RUNNING', () => this.state === 'RUNNING', { ms: 60_000 }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.output.slice(-20).join('\n')}`)
    })
  }

  kill9(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** SIGTERM: it commits, leaves and closes its stores. */
  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exit = new Promise(resolve => this.#process.once('exit', resolve))
    this.#process.kill(signal)
    await exit
  }
}
