// Builds of Odradek to measure, each in a folder of its own, so that nothing that happens in the checkout meanwhile
// changes what is measured.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

export interface Build {
  /** `abc1234`, with a `+` where the working tree differs from it. */
  readonly revision: string
  /** Holds dist. */
  readonly folder: string
}

/** The working tree as it is. */
export function buildHere(parent: string): Build {
  const folder = mkdtempSync(join(parent, 'here-'))
  for (const path of ['src', 'protocol', 'storage', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json']) {
    cpSync(join(root, path), join(folder, path), { recursive: true })
  }
  bundle(folder)
  const changed = git(['status', '--porcelain', '--', 'src', 'protocol', 'storage', 'package.json']) !== ''
  return { revision: `${git(['rev-parse', '--short', 'HEAD'])}${changed ? '+' : ''}`, folder }
}

/** A commit, as git names it. */
export function buildRevision(parent: string, name: string): Build {
  const commit = git(['rev-parse', '--verify', '--quiet', `${name}^{commit}`])
  const folder = mkdtempSync(join(parent, 'before-'))
  git(['clone', '--quiet', '--shared', '--no-checkout', root, folder])
  git(['-C', folder, 'checkout', '--quiet', '--detach', commit])
  bundle(folder)
  return { revision: git(['rev-parse', '--short', commit]), folder }
}

function bundle(folder: string): void {
  const lock = (of: string): string => readFileSync(join(of, 'package-lock.json'), 'utf8')
  if (lock(folder) === lock(root)) symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  else command('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], folder)
  command(process.execPath, ['scripts/build.js', '--no-types'], folder)
}

const git = (args: string[]): string => command('git', args, root)

function command(name: string, args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(name, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${name} ${args.join(' ')}: ${stderr || stdout || 'failed'}`)
  return stdout.trim()
}
