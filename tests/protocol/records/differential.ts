// Our record readers against Apache Kafka's own classes, on good and on changed input. Not part of `npm test`: needs a
// JDK and the jars of kafka-clients, lz4-java, snappy-java, zstd-jni and slf4j-api.
//   KAFKA_CLASSPATH=a.jar:b.jar npx tsx tests/protocol/records/differential.ts [--seed N] [--cases N]
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { crc32 } from 'node:zlib'
import { compress as snappyBlock } from 'snappyjs'
import * as batch from '../../../protocol/records/batch.ts'
import { codecReady, compress, decompress } from '../../../protocol/records/compression.ts'
import { RecordError } from '../../../protocol/records/error.ts'
import { encodeMessageSet, readMessageSet } from '../../../protocol/records/legacy.ts'
import { decodeRecords, encodeBatch } from '../../../protocol/records/record.ts'

const LIMIT = 400_000
const { values } = parseArgs({ options: { seed: { type: 'string' }, cases: { type: 'string' } } })
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const cases = Number(values.cases ?? 3000)
const classpath = process.env['KAFKA_CLASSPATH']
if (classpath === undefined) {
  console.log('KAFKA_CLASSPATH is not set\n0 passed, 0 failed, 1 skipped')
  process.exit(0)
}

let state = seed
/** A whole number below `limit`, from a generator that the seed determines. */
function random(limit: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) | 0
  return Math.floor(((state >>> 8) / 2 ** 24) * limit)
}
const oneOf = <T>(list: readonly T[]): T => list[random(list.length)]!

function changed(bytes: Buffer): Buffer {
  let result = Buffer.from(bytes)
  for (let n = 1 + random(3); n > 0 && result.length > 0; n--) {
    const at = random(random(2) === 0 ? Math.min(result.length, 40) : result.length)
    const kind = random(5)
    if (kind === 0) result[at] = random(256)
    else if (kind === 1) result[at]! ^= 1 << random(8)
    else if (kind === 2)
      Buffer.from(oneOf(['00000000', 'ffffffff', '7fffffff', 'ffffff7f', '80']), 'hex').copy(result, at)
    else if (kind === 3) result = result.subarray(0, at)
    else result = Buffer.concat([result.subarray(0, at), Buffer.from([random(256)]), result.subarray(at)])
  }
  return result
}

/**
 * Where we are meant to be stricter than Kafka: zlib refuses reserved gzip flags, we a copy from distance 0 and a wrong
 * content checksum in LZ4.
 */
const STRICTER = /unknown header flags|match out of range|wrong content checksum/
/** Where we read more: LZ4 blocks that refer to the one before. */
const isLinkedLz4 = (codec: number, bytes: Buffer): boolean => codec === 3 && (bytes[4]! & 0x20) === 0

interface Answer {
  readonly ours: string
  readonly meantToDiffer: boolean
}

/** Our answer in the words of Differential.java. */
function answer(run: () => string): Answer {
  try {
    return { ours: run(), meantToDiffer: false }
  } catch (error) {
    if (!(error instanceof RecordError)) throw error
    const cause = error.cause instanceof Error ? error.cause.message : ''
    return { ours: 'ERR', meantToDiffer: STRICTER.test(`${error.message} ${cause}`) }
  }
}

interface Case extends Answer {
  readonly what: string
  readonly line: string
}

function decompression(what: string, codec: number, magic: number, bytes: Buffer): Case {
  const answered = answer(() => {
    const result = decompress(codec, bytes, LIMIT, { brokenLz4Checksum: magic === 0 })
    return `${result.length}:${crc32(result)}`
  })
  return {
    what,
    line: `D ${codec} ${magic} ${LIMIT} ${bytes.toString('hex')}`,
    ...answered,
    meantToDiffer: answered.meantToDiffer || isLinkedLz4(codec, bytes),
  }
}

const hex = (bytes: Uint8Array | null): string => (bytes === null ? 'null' : Buffer.from(bytes).toString('hex'))

function reading(what: string, bytes: Buffer): Case {
  const answered = answer(() => {
    let text = ''
    for (const at of batch.batchesOf(bytes)) {
      const legacy = batch.magic(bytes, at) < 2
      if (legacy) {
        const [set] = readMessageSet(bytes, at, at + batch.sizeInBytes(bytes, at))
        text += `[${set!.lastOffset}${set!.messages.map(m => `;${m.offset},${m.timestamp},${hex(m.key)},${hex(m.value)}`).join('')}]`
        continue
      }
      if (!batch.isCrcValid(bytes, at)) throw new RecordError('CORRUPT', 'wrong CRC')
      text += `[${batch.lastOffset(bytes, at)}`
      for (const { offset, timestamp, key, value, headers } of decodeRecords(bytes, at, { maxBytes: LIMIT })) {
        text += `;${offset},${timestamp},${hex(key)},${hex(value)}`
        for (const header of headers) text += `,${hex(Buffer.from(header.key))}=${hex(header.value)}`
      }
      text += ']'
    }
    return text
  })
  return { what, line: `B ${bytes.toString('hex')}`, ...answered }
}

const texts = [
  Buffer.alloc(0),
  Buffer.from('a'),
  Buffer.from('hello hello hello hello'),
  Buffer.from('line of text, '.repeat(900)),
  Buffer.alloc(150_000, 7),
  Buffer.from(Array.from({ length: 70_000 }, () => random(256))),
]

function* decompressions(): Generator<Case> {
  const inputs = [
    ...[1, 2, 3, 4].map(codec => ({ codec, magic: 2, pack: (b: Buffer) => compress(codec, b) })),
    { codec: 2, magic: 2, pack: (b: Buffer): Buffer => snappyBlock<Buffer>(b) },
    { codec: 3, magic: 0, pack: (b: Buffer) => compress(3, b, 0, { brokenLz4Checksum: true }) },
  ]
  for (const { codec, magic, pack } of inputs) {
    const packed = texts.map(pack)
    for (const bytes of packed) yield decompression(`codec ${codec}, good`, codec, magic, bytes)
    for (let i = 0; i < cases / 3; i++) {
      yield decompression(`codec ${codec} (magic ${magic}), changed`, codec, magic, changed(oneOf(packed)))
    }
  }
}

const maybe = (): Buffer | null => (random(4) === 0 ? null : Buffer.from(oneOf(texts).subarray(0, random(60))))

/** A batch changed behind its header, whose length, count and CRC are then put right. */
function changedBatch(source: Buffer): Buffer {
  const bytes = Buffer.concat([source.subarray(0, 61), changed(source.subarray(61))])
  bytes.writeInt32BE(bytes.length - 12, 8)
  bytes.writeUInt32BE(batch.computeCrc(bytes, 0), 17)
  return bytes
}

function* readings(): Generator<Case> {
  for (let i = 0; i < cases; i++) {
    const count = 1 + random(5)
    const records = Array.from({ length: count }, (_, index) => ({
      offset: 100 + index,
      timestamp: oneOf([-1, 0, 1.7e12, 1.7e12 + 5000]),
      key: maybe(),
      value: maybe(),
      headers: Array.from({ length: random(3) }, () => ({ key: oneOf(['', 'h', 'é漢']), value: maybe() })),
    }))
    const codec = random(5)
    const encoded = encodeBatch({ records, codec, baseOffset: 100 })
    yield reading(`batch, codec ${codec}, good`, encoded)
    yield reading(`batch, codec ${codec}, changed`, changedBatch(encoded))
    yield reading('uncompressed batch, changed', changedBatch(encodeBatch({ records, baseOffset: 100 })))
    const magic = random(2) as 0 | 1
    const set = encodeMessageSet({ magic, codec: codec % 4, messages: records })
    yield reading(`message set of magic ${magic}, codec ${codec % 4}`, set)
  }
}

await codecReady(4)
const all = [...decompressions(), ...readings()]
const java = spawnSync('java', ['-cp', classpath, new URL('Differential.java', import.meta.url).pathname], {
  input: all.map(({ line }) => `${line}\n`).join(''),
  maxBuffer: 2 ** 30,
})
if (java.status !== 0) throw new Error(`java failed: ${java.stderr.toString()}`)
const theirs = java.stdout.toString().split('\n')
const differing = all.filter(({ ours }, index) => ours !== theirs[index])
const failures = differing.filter(({ meantToDiffer }) => !meantToDiffer)
const byKind = new Map<string, number>()
for (const { what, line, ours } of failures) {
  const seen = byKind.get(what) ?? 0
  byKind.set(what, seen + 1)
  if (seen < 3)
    console.log(
      `${what}\n  ${line.slice(0, 400)}\n  ours   ${ours.slice(0, 200)}\n  Kafka  ${theirs[all.findIndex(c => c.line === line)]!.slice(0, 200)}`,
    )
}
for (const [what, count] of byKind) console.log(`${count} differ: ${what}`)
console.log(
  `seed ${seed}: ${all.length - differing.length} passed, ${failures.length} failed, ` +
    `${differing.length - failures.length} skipped (meant to differ)`,
)
process.exitCode = failures.length === 0 ? 0 : 1
