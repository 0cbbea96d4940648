// `odradek verify` and `odradek repair` as they are shipped, with threads: they tell the same as with one, and do the same.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { call, writeKafkaData, type Command } from './command.ts'

const root = join(import.meta.dirname, '../../../..')
let folder: string
let bundled: { verify: Command; repair: Command }

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'odradek-threads-'))
  // Codecs are loaded from there.
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const common = {
    absWorkingDir: root,
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    packages: 'external',
    logOverride: { 'empty-import-meta': 'silent' },
    logLevel: 'warning',
  } as const
  await build({ ...common, entryPoints: { 'verify-worker': 'src/cli/commands/verify-worker.ts' } })
  // Both in one: WebAssembly of zstd is loaded once in a process.
  const contents = ['verify', 'repair'].map(name => `export { run as ${name} } from './src/cli/commands/${name}.ts'`)
  await build({ ...common, stdin: { contents: contents.join('\n'), resolveDir: root, sourcefile: 'both.ts' } })
  bundled = createRequire(join(folder, 'x.cjs'))('./stdin.cjs') as typeof bundled
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A directory of Apache Kafka, damaged in several partitions. */
function damaged(name: string): string {
  const data = join(folder, name)
  writeKafkaData(data)
  let count = 0
  for (const partition of readdirSync(data).filter(entry => /-\d+$/.test(entry) && !entry.startsWith('__'))) {
    const [log] = readdirSync(join(data, partition)).filter(file => file.endsWith('.log'))
    const path = join(data, partition, log!)
    const bytes = readFileSync(path)
    if (bytes.length < 100) continue
    bytes[Math.floor(bytes.length / 2)]! ^= 1
    writeFileSync(path, bytes)
    count++
  }
  expect(count).toBeGreaterThan(3)
  return data
}

const contentOf = (data: string): Map<string, string> =>
  new Map(
    readdirSync(data, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && entry.name !== '.lock')
      .map(entry => join(entry.parentPath, entry.name))
      .map(path => [path.slice(data.length), readFileSync(path).toString('latin1')]),
  )

/** Without what differs from run to run. */
const plain = (text: string): string => text.replaceAll(/ in [\d.]+ s|\/\S+(one|many)/g, '')

test('threads tell and do the same as one', { timeout: 60_000 }, async () => {
  const one = damaged('one')
  const many = join(folder, 'many')
  cpSync(one, many, { recursive: true })
  for (const [command, args] of [
    ['verify', []],
    ['repair', []],
    ['repair', ['--yes']],
    ['repair', []],
    ['verify', []],
  ] as const) {
    const alone = await call(bundled[command], [...args, '--threads', '1', one])
    const together = await call(bundled[command], [...args, '--threads', '3', many])
    expect(plain(together.out)).toBe(plain(alone.out))
    expect(together.exits).toEqual(alone.exits)
    expect(alone.out).not.toBe('')
  }
  expect(contentOf(many)).toEqual(contentOf(one))
  expect(plain((await call(bundled.repair, ['--threads', '2', many])).out)).toBe('Nothing is wrong.\n')
})

test('progress, on a terminal alone', { timeout: 60_000 }, async () => {
  const data = damaged('progress')
  const { err } = await call(bundled.repair, ['--threads', '2', data], true)
  expect(err).toMatch(/\d+%: \d+ of \d+ partitions, \d+\.\d MiB of \d+\.\d MiB/)
  expect(err.endsWith('\r\x1b[K')).toBe(true)
  expect((await call(bundled.repair, ['--threads', '2', data])).err).toBe('')
  await expect(call(bundled.repair, ['--threads', '0', data])).rejects.toThrow('--threads must be a number above 0')
})

test('the threads are there: without their file only one is', { timeout: 60_000 }, async () => {
  const data = damaged('alone')
  rmSync(join(folder, 'verify-worker.cjs'))
  await expect(call(bundled.repair, ['--threads', '2', data])).rejects.toThrow('verify-worker.cjs')
  expect((await call(bundled.repair, ['--threads', '1', data])).out).toContain('Nothing was written.')
})
