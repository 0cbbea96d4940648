// The codec against wire vectors made with Apache Kafka's own classes: for every message and version the default and
// one random line, and one batch of every record format. `npm run vectors -- DIR` checks whole folders.
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { allMessages } from '../../protocol/registry.ts'
import { codecReady, ZSTD } from '../../protocol/records/compression.ts'
import { checkFile, checkMessage, readVectors, vectorFiles, type Totals } from '../../scripts/vectors.ts'

const dir = join(import.meta.dirname, '../vectors')
const files = vectorFiles(dir)

beforeAll(async () => {
  await codecReady(ZSTD)
})

test.each(files.map(path => path.slice(dir.length + 1)))('%s', name => {
  const failures: string[] = []
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 }
  checkFile(join(dir, name), totals, line => failures.push(line))
  expect(failures).toEqual([])
  expect(totals.skipped).toBe(0)
  expect(totals.passed).toBeGreaterThan(0)
})

test('every version of every message has its default and a random vector', () => {
  const seen = new Set<string>()
  for (const path of files) for (const { message, v, kind } of readVectors(path)) seen.add(`${message} ${v} ${kind}`)
  const missing: string[] = []
  for (const { name, versions, shape } of allMessages) {
    for (let version = versions[0]; version <= versions[1]; version++) {
      const kinds = Object.keys(shape).length === 0 ? ['default'] : ['default', 'random']
      for (const kind of kinds) if (!seen.has(`${name} ${version} ${kind}`)) missing.push(`${name} ${version} ${kind}`)
    }
  }
  expect(missing).toEqual([])
})

test('a vector with a wrong byte, value or prefix does not pass', () => {
  const vectors = files.flatMap(readVectors)
  const good = vectors.find(v => v.message === 'OffsetCommitValue' && v.v === 3 && v.kind === 'random')!
  const message = allMessages.find(m => m.name === 'OffsetCommitValue')!
  checkMessage(message, good)
  const first = good.hex.startsWith('7') ? '6' : '7'
  expect(() => checkMessage(message, { ...good, hex: first + good.hex.slice(1) })).toThrow(/decoded/)
  expect(() => checkMessage(message, { ...good, hex: `${good.hex}00` })).toThrow(/left over/)
  expect(() => checkMessage(message, { ...good, json: { ...(good.json as object), leaderEpoch: 77 } })).toThrow(/77/)
  expect(() => checkMessage(message, { ...good, prefix: '0004' })).toThrow(/prefix/)
})
