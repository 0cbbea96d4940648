// Kafka Connect from Maven Central: workers, each a process with a REST address of its own.
import { spawn, type ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { eventually, freePort, mavenJars } from '../harness/index.ts'

const VERSION = '4.3.1'
const artifacts = ['connect-runtime', 'connect-file'].map(name => `org.apache.kafka:${name}:${VERSION}`)

export type Properties = Readonly<Record<string, string | number>>

/** What every worker has; converters that keep a line a line. */
const common: Properties = {
  'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'offset.flush.interval.ms': 500,
  // Of the sinks: that one which was killed is soon missed.
  'consumer.session.timeout.ms': 6000,
  'consumer.heartbeat.interval.ms': 1000,
}

export class Worker {
  readonly output: string[] = []
  readonly url: string
  readonly #process: ChildProcess

  private constructor(classPath: string, main: string, files: readonly string[], port: number) {
    this.url = `http://127.0.0.1:${port}`
    const jvm = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', classPath, `org.apache.kafka.connect.cli.${main}`]
    this.#process = spawn('java', [...jvm, ...files], { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#process.stdout!, this.#process.stderr!]) {
      createInterface({ input: stream }).on('line', line => void this.output.push(line))
    }
  }

  /** `connectors` makes it a standalone worker. Resolves when it serves its REST address. */
  static async start(folder: string, properties: Properties, connectors: readonly Properties[] = []): Promise<Worker> {
    const classPath = await mavenJars(`connect-${VERSION}`, [...artifacts, 'org.slf4j:slf4j-simple:1.7.36'])
    const port = await freePort()
    const files = [{ ...common, ...properties, listeners: `http://127.0.0.1:${port}` }, ...connectors].map(
      (each, n) => {
        const path = join(folder, `${port}-${n}.properties`)
        writeFileSync(
          path,
          Object.entries(each)
            .map(([key, value]) => `${key}=${value}\n`)
            .join(''),
        )
        return path
      },
    )
    const main = connectors.length > 0 ? 'ConnectStandalone' : 'ConnectDistributed'
    const worker = new Worker(classPath, main, files, port)
    await eventually('the REST address', () => worker.request('GET', '/'), { ms: 60_000, everyMs: 100 }).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}\n${worker.output.slice(-30).join('\n')}`)
      },
    )
    return worker
  }

  /** Rejects with what the worker says when it refuses. */
  async request(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/json' }
    const reply = await fetch(this.url + path, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    })
    const text = await reply.text()
    if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text}`)
    return text === '' ? null : JSON.parse(text)
  }

  /** Whether the connector and all its tasks run. */
  async runs(connector: string): Promise<boolean> {
    type Status = { connector: { state: string }; tasks: { state: string }[] }
    const { connector: own, tasks } = (await this.request('GET', `/connectors/${connector}/status`)) as Status
    return tasks.length > 0 && [own, ...tasks].every(({ state }) => state === 'RUNNING')
  }

  kill9(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** SIGTERM: it flushes, commits and leaves. */
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
