// Bundles the sources: dist/odradek.cjs (the command line, one file, because one file starts fastest), dist/index.js and
// dist/protocol.js (for programs that import the package), and type declarations in dist/types.
// `--no-types` leaves the declarations out, for a quick start from a checkout.

import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

// Codecs load WebAssembly files from beside their own sources, so they stay packages.
const external = ['@bokuweb/zstd-wasm', 'lz4-wasm-nodejs', 'snappyjs', 'crc-32', 'crc-32/crc32c.js']

/** The banner of the command line: keeps compiled code between starts, where Node can (22.1 and later). */
const cache = `try{require('node:module').enableCompileCache?.()}catch{}`

export async function bundle() {
  const { build } = await import('esbuild')
  const common = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    define: { ODRADEK_VERSION: JSON.stringify(version) },
    logLevel: 'warning',
  }
  await Promise.all([
    build({
      ...common,
      external,
      entryPoints: ['src/cli/bin.ts'],
      outfile: 'dist/odradek.cjs',
      format: 'cjs',
      banner: { js: cache },
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
