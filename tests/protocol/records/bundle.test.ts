// The packages behind the codecs load at first need from every form in which this code is shipped.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
// Next to the packages, so that the bundle finds them as an installed one would.
const modules = dirname(dirname(createRequire(import.meta.url).resolve('snappyjs/package.json')))
const folder = mkdtempSync(join(modules, '.odradek-bundle-'))

const program = `
import { crc32c, codecReady, compress, decompress } from './protocol/records/index.ts'
const bytes = Buffer.from('some text, '.repeat(2000))
const report = { crc: crc32c(Buffer.from('123456789')), trips: [] }
for (const codec of [0, 1, 2, 3, 4]) {
  let outcome
  try {
    await codecReady(codec)
    const packed = compress(codec, bytes)
    outcome = decompress(codec, packed, bytes.length).equals(bytes) ? (packed.length < bytes.length ? 'packed' : 'as is') : 'wrong'
  } catch (error) {
    outcome = error.code
  }
  report.trips.push(outcome)
}
console.log(JSON.stringify(report))
`

async function bundle(format: 'cjs' | 'esm'): Promise<string> {
  const file = join(folder, format === 'cjs' ? 'bundle.cjs' : 'bundle.mjs')
  await build({
    stdin: {
      contents: format === 'cjs' ? program.replace(/(const bytes[\s\S]*)/, '(async () => {\n$1\n})()') : program,
      resolveDir: process.cwd(),
      loader: 'ts',
    },
    outfile: file,
    bundle: true,
    platform: 'node',
    format,
    packages: 'external',
    logLevel: 'silent',
  })
  return file
}

describe.each(['cjs', 'esm'] as const)('as a %s bundle', format => {
  let file = ''
  beforeAll(async () => {
    file = await bundle(format)
  })

  test('every codec works', async () => {
    const { stdout } = await run(process.execPath, [file])
    expect(JSON.parse(stdout)).toEqual({ crc: 0xe3069283, trips: ['as is', 'packed', 'packed', 'packed', 'packed'] })
  })

  test('without WebAssembly all but zstd work, and lz4 stores', async () => {
    const { stdout } = await run(process.execPath, ['--jitless', file])
    expect(JSON.parse(stdout)).toEqual({
      crc: 0xe3069283,
      trips: ['as is', 'packed', 'packed', 'as is', 'UNSUPPORTED'],
    })
  })
})

test('importing loads none of the packages', async () => {
  const file = await bundle('cjs')
  const script = `
    const Module = require('node:module'), load = Module._load, names = []
    Module._load = function (name) { names.push(name); return load.apply(this, arguments) }
    const log = console.log
    console.log = () => {}
    require(${JSON.stringify(file)})
    log(JSON.stringify(names.filter(name => !name.startsWith('node:'))))
  `
  const { stdout } = await run(process.execPath, ['-e', script])
  expect(JSON.parse(stdout)).toEqual([file])
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
