// Batches as consumers of Kafka 0.8 to 0.11 can read them: magic 2 (and 1) to message sets of magic 1 or 0. Kafka 3.9:
// RecordsUtil.java (downConvert), LazyDownConversionRecords.java. Headers, producer ids and leader epochs have no
// place there and are lost; control batches are left out.
import * as batch from './batch.ts'
import { ZSTD } from './compression.ts'
import { RecordError } from './error.ts'
import { encodeMessageSet, messageSize, readMessageSet } from './legacy.ts'
import type { Record } from './record.ts'
import { RecordCursor } from './record.ts'

type Message = Pick<Record, 'offset' | 'timestamp' | 'key' | 'value'>

export interface DownConversion {
  readonly magic: 0 | 1
  /** Uncompressed records below it are left out: some versions of librdkafka rely on that. */
  readonly firstOffset: number
  /** What the result may have, save that the first batch is always in it, whole unless it becomes very large. */
  readonly maxBytes: number
  /** What compressed batches may expand to, all of them together; no batch is begun once it is used up. */
  readonly maxExpandedBytes: number
}

export interface DownConverted {
  readonly bytes: Buffer
  /** The offset behind the last message or batch that was looked at; `firstOffset` if none was. */
  readonly nextOffset: number
  readonly expandedBytes: number
}

/** What the first batch may become before it is cut between two messages. */
const MAX_FIRST_BATCH = 8 * 1024 * 1024

/** What is converted so far. */
class Output {
  readonly #o: DownConversion
  readonly #chunks: Buffer[] = []
  byteLength = 0
  expandedBytes = 0
  nextOffset: number

  constructor(o: DownConversion) {
    this.#o = o
    this.nextOffset = o.firstOffset
  }

  get isEmpty(): boolean {
    return this.byteLength === 0
  }

  /** Bytes that may still be added; anything may be while nothing is there. */
  get room(): number {
    return this.isEmpty ? Infinity : this.#o.maxBytes - this.byteLength
  }

  /** What the next batch may expand to. */
  get expandedRoom(): number {
    return this.#o.maxExpandedBytes - this.expandedBytes
  }

  add(bytes: Buffer): void {
    this.#chunks.push(bytes)
    this.byteLength += bytes.length
  }

  result(): DownConverted {
    const { nextOffset, expandedBytes } = this
    return { bytes: Buffer.concat(this.#chunks, this.byteLength), nextOffset, expandedBytes }
  }
}

/**
 * Converts `parts`, each of whole batches of any magic, into new bytes; stops early where a limit or an error says so.
 * Throws RecordError when the first batch with anything in it cannot be converted: UNSUPPORTED for zstd, which the old
 * formats do not have, CORRUPT, TOO_LARGE.
 */
export function downConvert(parts: readonly Buffer[], o: DownConversion): DownConverted {
  const out = new Output(o)
  try {
    for (const part of parts) {
      for (const at of batch.batchesOf(part)) if (!convertBatch(part, at, o, out)) return out.result()
    }
  } catch (error) {
    // The consumer gets what is there, asks for the rest, and is told then.
    if (!(error instanceof RecordError) || out.isEmpty) throw error
  }
  return out.result()
}

/** False: a limit is reached, and batches from this one on stay for the next request. */
function convertBatch(part: Buffer, at: number, o: DownConversion, out: Output): boolean {
  const size = batch.sizeInBytes(part, at)
  const magic = batch.magic(part, at)
  if (magic <= o.magic) {
    if (size > out.room) return false
    out.add(part.subarray(at, at + size))
    out.nextOffset = batch.baseOffset(part, at) + 1 // the last message's in these formats
    return true
  }
  if (magic < 2) return convertLegacy(part, at, size, o, out)
  if (batch.isControl(part, at)) {
    out.nextOffset = batch.nextOffset(part, at)
    return true
  }
  const codec = batch.codec(part, at)
  if (codec === ZSTD) throw new RecordError('UNSUPPORTED', `zstd does not exist in magic ${o.magic}`)
  if (codec === 0) return convertUncompressed(part, at, o, out)
  if (size > out.room || out.expandedRoom <= 0) return false
  const cursor = new RecordCursor(part, at, { maxBytes: out.expandedRoom })
  out.expandedBytes += cursor.bytes.length
  const messages: Message[] = []
  while (cursor.next()) messages.push(messageOf(cursor))
  const timestampType = batch.timestampType(part, at)
  return addWhole({ magic: o.magic, codec, messages, timestampType }, batch.nextOffset(part, at), out)
}

/** Each record becomes a message of its own, so that the result may end between two of them. */
function convertUncompressed(part: Buffer, at: number, o: DownConversion, out: Output): boolean {
  const room = out.isEmpty ? Math.max(o.maxBytes, MAX_FIRST_BATCH) : out.room
  const timestampType = batch.timestampType(part, at)
  const messages: Message[] = []
  let size = 0
  let isWhole = true
  const cursor = new RecordCursor(part, at)
  while (cursor.next()) {
    if (cursor.offset < o.firstOffset) continue
    const more = messageSize(o.magic, cursor.keyLength, cursor.valueLength)
    isWhole = size + more <= room || (out.isEmpty && size === 0)
    if (!isWhole) break
    messages.push(messageOf(cursor))
    size += more
  }
  if (messages.length > 0) out.add(encodeMessageSet({ magic: o.magic, messages, timestampType }))
  if (isWhole) out.nextOffset = batch.nextOffset(part, at)
  else if (messages.length > 0) out.nextOffset = messages.at(-1)!.offset + 1
  return isWhole
}

/** A message of magic 1 for readers of magic 0. */
function convertLegacy(part: Buffer, at: number, size: number, o: DownConversion, out: Output): boolean {
  if (size > out.room || out.expandedRoom <= 0) return false
  const [set] = readMessageSet(part, at, at + size, { maxBytes: out.expandedRoom, checkCrc: false })
  const { codec, messages, lastOffset } = set!
  const inner = messages[0]!.bytes
  if (inner !== part) out.expandedBytes += inner.length
  return addWhole({ magic: o.magic, codec, messages }, lastOffset + 1, out)
}

function addWhole(set: Parameters<typeof encodeMessageSet>[0], nextOffset: number, out: Output): boolean {
  const bytes = encodeMessageSet(set)
  if (bytes.length > out.room) return false
  out.add(bytes)
  out.nextOffset = nextOffset
  return true
}

/** A timestamp that a number cannot hold is told as none. */
const messageOf = (cursor: RecordCursor): Message => ({
  offset: cursor.offset,
  timestamp: Number.isSafeInteger(cursor.timestamp) ? cursor.timestamp : -1,
  key: cursor.key(),
  value: cursor.value(),
})
