// Starts the broker of broker-child.ts and asks it for its memory.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { MemoryPool } from '../../src/index.ts'

export interface Figures {
  /** After a garbage collection. */
  readonly rssMb: number
  /** The most it ever was. */
  readonly peakMb: number
  readonly pools: readonly MemoryPool[]
  /** Error lines of its log. */
  readonly errors: readonly string[]
}

export interface ChildBroker extends AsyncDisposable {
  readonly port: number
  /** Rejects if the process has ended. */
  figures(): Promise<Figures>
}

export async function childBroker(config: Record<string, string> = {}): Promise<ChildBroker> {
  const child = fork(join(import.meta.dirname, 'broker-child.ts'), [JSON.stringify(config)], {
    execArgv: ['--import', 'tsx', '--expose-gc'],
    stdio: 'inherit',
  })
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the broker ended: ${code ?? signal}`)
  })
  // Seen by whoever asks next.
  ended.catch(() => undefined)
  const answer = async <T>(): Promise<T> => {
    const [message] = (await Promise.race([once(child, 'message'), ended])) as [T]
    return message
  }
  const { port } = await answer<{ port: number }>()
  return {
    port,
    figures() {
      const figures = answer<Figures>()
      child.send('figures')
      return figures
    },
    async [Symbol.asyncDispose]() {
      const exit = once(child, 'exit')
      if (child.exitCode !== null || child.signalCode !== null) return
      child.disconnect()
      await exit
    },
  }
}
