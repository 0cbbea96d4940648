// An old client as the scenarios see it: something to install, and a program that produces and consumes.
import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export interface OldClient {
  /** With its version. */
  readonly name: string
  /** Those that it can write and read. */
  readonly codecs: string[]
  /** Rejects with the reason when the client cannot be had here. */
  install(): Promise<void>
  /** Ten records for each codec, to partition 0. */
  produce(bootstrap: string, topic: string, label: string, codecs: readonly string[]): Promise<unknown>
  /** A line for each record, from the group's offset or the start; null where the client has no consumer. */
  readonly consume: ((bootstrap: string, topic: string, group: string, count: number) => Promise<string>) | null
  /** Whether its consumer keeps its place in a group. */
  readonly groups: boolean
}

const run = promisify(execFile)
export const here = dirname(fileURLToPath(import.meta.url))
export const ALL_CODECS = ['none', 'gzip', 'snappy', 'lz4']

/** A folder that outlives the run and lies outside the checkout. */
export function cache(...parts: string[]): string {
  const root = process.env['ODRADEK_CACHE'] ?? join(homedir(), '.cache/odradek')
  const folder = join(root, 'old-clients', ...parts)
  mkdirSync(folder, { recursive: true })
  return folder
}

/** Standard output of a program; rejects with what it wrote to the other one. */
export async function output(program: string, args: readonly string[], options: { cwd?: string; ms?: number } = {}) {
  const { ms = 30_000, ...rest } = options
  try {
    const { stdout } = await run(program, args, { ...rest, timeout: ms, killSignal: 'SIGKILL', maxBuffer: 64 << 20 })
    return stdout
  } catch (error) {
    const { message, stderr = '', killed } = error as Error & { stderr?: string; killed?: boolean }
    const what = killed === true ? `nothing after ${ms} ms` : message.split('\n')[0]!
    throw new Error(`${what}\n${stderr.slice(-1500)}`, { cause: error })
  }
}
