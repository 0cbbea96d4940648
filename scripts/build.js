// Bundles the sources: dist/odradek.cjs (the command line; all of it stands in dist/cli.cjs,
// because one CommonJS file starts fastest, save commands beside the broker's, in dist/commands), dist/index.js and
// dist/protocol.js (for programs that import the package), and type declarations in dist/types.
// `--no-types` leaves the declarations out, for a quick start from a checkout.

import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

// Codecs load WebAssembly files from beside their own sources, so they stay packages.
const external = ['@bokuweb/zstd-wasm', 'lz4-wasm-nodejs', 'snappyjs', 'crc-32', 'crc-32/crc32c.js']

// The command itself. Where Node can (22.1 and later) it keeps compiled code between starts, which works only for files
// loaded afterwards, so the bundle stands in a file of its own.
const command = `#!/usr/bin/env node
try { require('node:module').enableCompileCache?.() } catch {}
require('./cli.cjs')
`

// Commands that src/cli/main.ts loads when they are asked for: files of their own, so that no start reads them.
const commands = ['protocol', 'dump', 'verify', 'verify-worker', 'repair']
const loadedLater = {
  name: 'loaded later',
  setup: build =>
    build.onResolve({ filter: /^\.\/commands\/\w+\.ts$/ }, ({ path }) => ({
      path: path.replace(/\.ts$/, '.cjs'),
      external: true,
    })),
}

export async function bundle() {
  const { build, stop } = await import('esbuild')
  const common = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    define: { ODRADEK_VERSION: JSON.stringify(version) },
    logLevel: 'warning',
  }
  const executable = {
    ...common,
    external,
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    // Less text to read is a faster start; names and lines stay, so that stack traces say something.
    minifyWhitespace: true,
    lineLimit: 200,
    // Sources take __filename where import.meta is empty.
    logOverride: { 'empty-import-meta': 'silent' },
  }
  await Promise.all([
    build({ ...executable, entryPoints: { cli: 'src/cli/bin.ts' }, plugins: [loadedLater] }),
    build({
      ...executable,
      entryPoints: Object.fromEntries(commands.map(name => [`commands/${name}`, `src/cli/commands/${name}.ts`])),
    }),
    build({
      ...common,
      packages: 'external',
      entryPoints: { index: 'src/index.ts', protocol: 'protocol/index.ts' },
      outdir: 'dist',
      format: 'esm',
      splitting: true,
      chunkNames: 'chunks/[name]-[hash]',
    }),
  ])
  // Its helper process would live as long as the broker that `npm start` runs in this one.
  await stop()
  writeFileSync(join(root, 'dist/odradek.cjs'), command)
  chmodSync(join(root, 'dist/odradek.cjs'), 0o755)
}

function types() {
  // Through Node: the npm shim of tsc is a shell script on some systems.
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json')
  const tsc = join(dirname(typescript), JSON.parse(readFileSync(typescript, 'utf8')).bin.tsc)
  const { status } = spawnSync(process.execPath, [tsc, '-p', join(root, 'scripts/tsconfig.types.json')], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error('tsc could not write the type declarations')
}

async function main() {
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  await bundle()
  if (!process.argv.includes('--no-types')) types()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
