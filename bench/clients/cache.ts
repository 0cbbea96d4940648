// Where built clients are kept between runs.
import { spawnSync } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'

export const cache = (): string => process.env['ODRADEK_CACHE'] ?? join(homedir(), '.cache/odradek')

/** Null where all of these commands are there, else which is not. */
export function missing(commands: readonly string[]): string | null {
  const gone = commands.filter(name => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0)
  return gone.length === 0 ? null : `there is no ${gone.join(', no ')}`
}

/** Asks once: what could not be built a moment ago will not build now. */
export function once(ask: () => string | null): () => string | null {
  let answer: { readonly why: string | null } | undefined
  return () => (answer ??= { why: ask() }).why
}

/** Runs a step of a build; throws with the end of what it said. */
export function step(command: string, args: string[], cwd: string): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${`${stdout}${stderr}`.slice(-2000)}`)
}
