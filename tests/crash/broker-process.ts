// The broker under test: the built command line as a child process on one directory and one port.
import { spawn, type ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Small, so that every round meets rolls, checkpoints and deletions. */
const SETTINGS = {
  'auto.create.topics.enable': 'false',
  'offsets.topic.num.partitions': '4',
  'offsets.topic.segment.bytes': '30000',
  'group.min.session.timeout.ms': '500',
  'log.initial.task.delay.ms': '50',
  'log.flush.offset.checkpoint.interval.ms': '200',
  'log.retention.check.interval.ms': '150',
  'log.segment.delete.delay.ms': '300',
}

export const builtBroker = join(fileURLToPath(import.meta.url), '../../../dist/odradek.cjs')

export class BrokerProcess {
  /** Resolves to null when clients are served, or to a sentence when the process ended before that. */
  readonly ready: Promise<string | null>
  /** How it ended: an exit code or a signal's name. */
  readonly ended: Promise<number | string>
  isEnded = false
  isReady = false
  /** Errors that it logged and whatever it wrote to stderr. */
  readonly complaints: string[] = []
  readonly #child: ChildProcess

  constructor(file: string, dataDir: string, port: number) {
    const settings = Object.entries(SETTINGS).flatMap(([key, value]) => ['--set', `${key}=${value}`])
    const args = [file, '--listen', `127.0.0.1:${port}`, '--data-dir', dataDir, ...settings]
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const { stdout, stderr } = this.#child
    stderr!.setEncoding('utf8').on('data', (text: string) => this.complaints.push(text.trimEnd()))
    this.ended = new Promise(resolve =>
      this.#child.on('close', (code, signal) => {
        this.isEnded = true
        resolve(code ?? signal ?? 'unknown')
      }),
    )
    const listening = new Promise<null>(resolve => {
      let rest = ''
      stdout!.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n')
        rest = lines.pop()!
        for (const line of lines) if (this.#line(line)) resolve(null)
      })
    })
    const failed = this.ended.then(how => `the broker ended (${how}) before it was ready`)
    this.ready = Promise.race([listening, failed])
  }

  /** Resolves with whether it serves clients, or has ended, before so many ms have passed. */
  readyWithin(ms: number): Promise<boolean> {
    return within(this.ready, ms)
  }

  endedWithin(ms: number): Promise<boolean> {
    return within(this.ended, ms)
  }

  signal(name: 'SIGTERM' | 'SIGKILL'): void {
    this.#child.kill(name)
  }

  kill(): Promise<number | string> {
    this.signal('SIGKILL')
    return this.ended
  }

  /** True for the line that says it is ready. A line cut off by the kill is none. */
  #line(line: string): boolean {
    let entry: { level: number; bootstrap?: string }
    try {
      entry = JSON.parse(line) as typeof entry
    } catch {
      this.complaints.push(line)
      return false
    }
    if (entry.level >= 50) this.complaints.push(line)
    if (entry.bootstrap === undefined) return false
    this.isReady = true
    return true
  }
}

/** Whether the promise resolves before so many ms have passed. */
function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise(resolve => {
    const timer = setTimeout(() => resolve(false), ms)
    void promise.then(() => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') return reject(new Error('no port'))
      server.close(() => resolve(address.port))
    })
  })
}
