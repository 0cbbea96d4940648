// `npm start -- [flags]`: builds the command line if a source is newer than it, then runs it in this very process.

import { readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const bundled = join(root, 'dist/odradek.cjs')

/** The newest change below a file or folder, in ms. */
function newest(path) {
  const { mtimeMs } = statSync(path)
  if (!statSync(path).isDirectory()) return mtimeMs
  return Math.max(mtimeMs, ...readdirSync(path).map(name => newest(join(path, name))))
}

const built = statSync(bundled, { throwIfNoEntry: false })?.mtimeMs ?? 0
const sources = ['src', 'protocol', 'storage', 'package.json', 'scripts/build.js'].map(path => join(root, path))
if (Math.max(...sources.map(newest)) > built) {
  const { bundle } = await import('./build.js')
  await bundle()
}
createRequire(import.meta.url)(bundled)
