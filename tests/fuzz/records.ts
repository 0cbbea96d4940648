// Targets: record batches and message sets of every magic and codec, and the decompressors on their own.
import { compress as snappyBlock } from 'snappyjs'
import * as batch from '../../protocol/records/batch.ts'
import { codecReady, compress, decompress, ZSTD } from '../../protocol/records/compression.ts'
import { describeBatches } from '../../protocol/records/describe.ts'
import { downConvert } from '../../protocol/records/down-convert.ts'
import { RecordError } from '../../protocol/records/error.ts'
import { encodeMessageSet, readMessageSet, upConvert } from '../../protocol/records/legacy.ts'
import { encodeBatch, newWalkResult, RecordCursor, walkBatch } from '../../protocol/records/record.ts'
import { bounded } from './measure.ts'
import { mutate } from './mutate.ts'
import type { Random } from './random.ts'
import { attempt, type Case, type Target } from './target.ts'

/** What one batch may expand to. */
const LIMIT = 200_000

/** To be awaited before a case runs: zstd's WebAssembly. */
export const ready = async (): Promise<void> => {
  await codecReady(ZSTD)
}

function content(random: Random): Buffer {
  const size = random.chance(0.05) ? random.below(300_000) : random.below(400)
  return random.chance(0.5) ? random.bytes(size) : Buffer.alloc(size, random.pick(['a', 'abcdef', '\0']))
}

function damage(bytes: Buffer, random: Random): Buffer {
  let damaged = bytes
  for (let i = random.below(4); i > 0; i--) damaged = mutate(damaged, random)
  return damaged
}

interface CodecCase extends Case {
  readonly codec: number
  readonly bytes: Buffer
  readonly brokenLz4Checksum: boolean
}

export const codecs: Target<CodecCase> = {
  name: 'codecs',
  share: 20,
  generate(random) {
    const codec = 1 + random.below(4)
    const brokenLz4Checksum = random.chance(0.2)
    const plain = content(random)
    const packed =
      codec === 2 && random.chance(0.5)
        ? snappyBlock<Buffer>(plain)
        : compress(codec, plain, undefined, { brokenLz4Checksum })
    // Several frames or members after each other are allowed in some formats.
    const joined = random.chance(0.1) ? Buffer.concat([packed, packed]) : packed
    return { codec, bytes: damage(joined, random), brokenLz4Checksum }
  },
  run({ codec, bytes, brokenLz4Checksum }, memory) {
    const size = { input: bytes.length, output: LIMIT }
    const work = () => attempt(RecordError, () => decompress(codec, bytes, LIMIT, { brokenLz4Checksum }))
    const result = bounded(size, work, memory)
    if (!(result instanceof RecordError) && result.length > LIMIT) throw new Error(`${result.length} bytes`)
  },
}

interface RecordsCase extends Case {
  readonly bytes: Buffer
}

export const records: Target<RecordsCase> = {
  name: 'records',
  share: 25,
  generate(random) {
    const bytes = Buffer.concat(Array.from({ length: 1 + random.below(3) }, () => anyBatch(random)))
    return { bytes: damage(bytes, random) }
  },
  run({ bytes }, memory) {
    const size = { input: bytes.length, output: LIMIT }
    const limits = { maxBytes: LIMIT }
    const read = <T>(work: () => T): T | RecordError => bounded(size, () => attempt(RecordError, work), memory)
    const described = read(() => describeBatches(bytes, limits))
    if (!(described instanceof RecordError)) {
      const walked = described.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0)
      if (walked > bytes.length) throw new Error(`${walked} bytes of batches in ${bytes.length}`)
    }
    read(() => readMessageSet(bytes, 0, bytes.length, { ...limits, checkCrc: false }))
    read(() => upConvert(bytes, 0, bytes.length, { ...limits, checkCrc: false, ...CONVERTED }))
    for (const magic of [0, 1] as const) {
      read(() => downConvert([bytes], { magic, firstOffset: 0, maxBytes: LIMIT, maxExpandedBytes: LIMIT }))
    }
    const places = read(() => [...batch.batchesOf(bytes)])
    if (places instanceof RecordError) return
    for (const at of places) readBatch(bytes, at, read)
  },
}

const CONVERTED = { baseOffset: 0, timestampType: 'CreateTime', logAppendTime: -1 } as const

function readBatch(bytes: Buffer, at: number, read: <T>(work: () => T) => T | RecordError): void {
  if (batch.magic(bytes, at) !== 2) return
  const result = newWalkResult()
  if (batch.codec(bytes, at) === 0) read(() => walkBatch(bytes, at, result))
  const offsets = read(() => {
    const cursor = new RecordCursor(bytes, at, { maxBytes: LIMIT })
    let count = 0
    while (cursor.next()) {
      cursor.key()
      cursor.value()
      cursor.headers()
      count++
    }
    return count
  })
  const broken = offsets instanceof RecordError
  if (batch.codec(bytes, at) === 0 && result.code === 'OK' && broken) {
    throw new Error(`walked, but not readable: ${offsets.message}`)
  }
}

/** A whole batch, often with a header that lies and a checksum that is right for it. */
export function anyBatch(random: Random): Buffer {
  const list = Array.from({ length: random.below(6) }, (_, i) => ({
    offset: i,
    timestamp: random.pick([-1, 0, 1_700_000_000_000 + i]),
    key: random.chance(0.3) ? null : random.bytes(random.below(8)),
    value: random.chance(0.2) ? null : content(random).subarray(0, 2000),
    headers: random.chance(0.2) ? [{ key: 'h', value: random.chance(0.5) ? null : random.bytes(3) }] : [],
  }))
  if (random.chance(0.25)) {
    return encodeMessageSet({ magic: random.chance(0.5) ? 0 : 1, codec: random.below(4), messages: list })
  }
  const bytes = encodeBatch({
    records: list,
    codec: random.below(5),
    baseOffset: random.below(10),
    isControl: random.chance(0.05),
    isTransactional: random.chance(0.1),
    producerId: random.chance(0.3) ? random.below(3) : -1,
    producerEpoch: random.below(2),
    baseSequence: random.below(3) - 1,
    timestampType: random.chance(0.1) ? 'LogAppendTime' : 'CreateTime',
  })
  if (random.chance(0.3)) lie(bytes, random)
  return bytes
}

function lie(bytes: Buffer, random: Random): void {
  const value = random.pick([0, 1, -1, 5, 2 ** 31 - 1, -(2 ** 31)])
  const places = [8, 12, 23, 53, 57] // batch length, leader epoch, last offset delta, base sequence, record count
  if (random.chance(0.3)) bytes.writeInt16BE(random.below(65536) - 32768, 21)
  else bytes.writeInt32BE(value, random.pick(places))
  if (batch.sizeInBytes(bytes, 0) === bytes.length) bytes.writeUInt32BE(batch.computeCrc(bytes, 0, bytes.length), 17)
}
