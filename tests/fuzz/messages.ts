// Targets: every message of every version, request frames with their headers, and what is kept in topics.
import { isDeepStrictEqual } from 'node:util'
import type { Message } from '../../protocol/api.ts'
import { decode, encode } from '../../protocol/compile.ts'
import { decodeRequestHeader } from '../../protocol/frame.ts'
import { toJson } from '../../protocol/json.ts'
import { apiByKey, apis } from '../../protocol/messages/index.ts'
import { DecodeError, Reader } from '../../protocol/reader.ts'
import { decodeControlKey, decodeEndTransactionMarker } from '../../protocol/records/control.ts'
import { RecordError } from '../../protocol/records/error.ts'
import { allMessages, messageByName } from '../../protocol/registry.ts'
import type { Shape } from '../../protocol/schema.ts'
import { decodeCoordinatorKey } from '../../protocol/state/coordinator-record.ts'
import {
  groupCoordinatorRecords,
  metadataRecords,
  shareCoordinatorRecords,
  stateMessages,
  transactionCoordinatorRecords,
} from '../../protocol/state/index.ts'
import { decodeMetadataFrame, decodeMetadataRecord } from '../../protocol/state/metadata-record.ts'
import { decodeForward, decodeVersioned } from '../../protocol/state/versioned.ts'
import { Writer } from '../../protocol/writer.ts'
import { bounded } from './measure.ts'
import { messageBytes, type Style } from './message-bytes.ts'
import { mutate } from './mutate.ts'
import type { Random } from './random.ts'
import { attempt, type Case, type Target } from './target.ts'

/** Array elements of one message. */
const MAX_ELEMENTS = 20_000
const WORDS = ['', 'a', 'topic', 'group-1', 'ünïcode', '__consumer_offsets', 'x'.repeat(300)]

const styleOf = (random: Random, harm: number): Style => ({
  random,
  harm,
  elements: random.chance(0.02) ? 500 : 4,
  words: WORDS,
  records: () => random.bytes(random.below(100)),
})

/** Bytes of a message, mostly wrong in one place or a few. */
function hostile(message: Message<Shape>, version: number, random: Random): { bytes: Buffer; valid: boolean } {
  const harm = random.pick([0, 0.02, 0.1])
  let bytes = messageBytes(message, version, styleOf(random, harm))
  const mutations = random.chance(0.6) ? random.below(4) : 0
  for (let i = 0; i < mutations; i++) bytes = mutate(bytes, random)
  return { bytes, valid: harm === 0 && mutations === 0 }
}

function versionOf({ versions: [first, last] }: Message<Shape>, random: Random): number {
  return first + random.below(last - first + 1)
}

interface MessageCase extends Case {
  readonly message: string
  readonly version: number
  readonly exact: boolean
  readonly bytes: Buffer
  /** Nothing is wrong in it: it must decode. */
  readonly valid: boolean
}

export const messages: Target<MessageCase> = {
  name: 'messages',
  share: 60,
  generate(random) {
    const message = random.pick(allMessages)
    const version = versionOf(message, random)
    return { message: message.name, version, exact: random.chance(0.3), ...hostile(message, version, random) }
  },
  run({ message: name, version, exact, bytes, valid }, memory) {
    const message = messageByName(name)!
    const mode = { exact: exact || valid }
    const value = bounded(
      { input: bytes.length },
      () =>
        attempt(DecodeError, () => {
          const reader = new Reader(bytes, 0, undefined, { maxElements: valid ? Infinity : MAX_ELEMENTS })
          const decoded = decode(message, version, reader, mode)
          if (valid) reader.expectEnd()
          return decoded
        }),
      memory,
    )
    if (value instanceof DecodeError) {
      if (valid) throw new Error(`a valid message was refused: ${value.message}`)
      return
    }
    const elements = elementsOf(value)
    if (!valid && elements > MAX_ELEMENTS) throw new Error(`${elements} elements`)
    survives(message, version, value, mode)
  },
}

/** What was decoded can be encoded, and decodes to the same. */
function survives(message: Message<Shape>, version: number, value: unknown, mode: { exact: boolean }): void {
  const writer = new Writer()
  encode(message, version, value as never, writer, { ...mode, strict: true })
  const reader = new Reader(writer.toBuffer())
  const again = decode(message, version, reader, mode)
  reader.expectEnd()
  if (!isDeepStrictEqual(toJson(message, version, again), toJson(message, version, value))) {
    throw new Error('it changes when it is encoded and decoded')
  }
}

function elementsOf(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, v) => sum + elementsOf(v), value.length)
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return 0
  // Records hold an array of parts that the message does not count.
  const { parts, ...rest } = value as { parts?: unknown }
  return parts === undefined ? Object.values(rest).reduce<number>((sum, v) => sum + elementsOf(v), 0) : 0
}

interface BytesCase extends Case {
  readonly bytes: Buffer
}

export const frames: Target<BytesCase> = {
  name: 'frames',
  share: 15,
  generate: random => ({ bytes: requestFrame(random) }),
  run({ bytes }, memory) {
    bounded(
      { input: bytes.length },
      () =>
        attempt(DecodeError, () => {
          const reader = new Reader(bytes, 0, undefined, { maxElements: MAX_ELEMENTS })
          const { apiKey, apiVersion } = decodeRequestHeader(reader)
          const api = apiByKey(apiKey)
          return api && decode(api.request, apiVersion, reader)
        }),
      memory,
    )
  },
}

/** Header and body, without the size. */
function requestFrame(random: Random): Buffer {
  const api = random.pick(apis)
  const version = random.chance(0.9) ? versionOf(api.request, random) : random.below(65536) - 32768
  const known = version >= api.versions[0] && version <= api.versions[1]
  const header = Buffer.alloc(10)
  header.writeInt16BE(random.chance(0.97) ? api.key : random.below(65536) - 32768, 0)
  header.writeInt16BE(version, 2)
  header.writeInt32BE(random.below(2 ** 31), 4)
  header.writeInt16BE(random.chance(0.9) ? -1 : random.pick([0, 5, -2, 32767]), 8)
  const tags = version >= api.flexible ? Buffer.from(random.pick(['00', '00', '00', '01', '010203', 'ff']), 'hex') : []
  const body = known ? hostile(api.request, version, random).bytes : random.bytes(random.below(50))
  const frame = Buffer.concat([header, Buffer.from(tags), body])
  return random.chance(0.1) ? mutate(frame, random) : frame
}

interface KeptCase extends BytesCase {
  readonly message: string
}

const coordinatorRecords = [...groupCoordinatorRecords, ...transactionCoordinatorRecords, ...shareCoordinatorRecords]

export const kept: Target<KeptCase> = {
  name: 'kept',
  share: 15,
  generate(random) {
    const message = random.pick(stateMessages)
    const version = random.chance(0.9) ? versionOf(message, random) : random.below(2 ** 15)
    const known = version <= message.versions[1] && version >= message.versions[0]
    const { bytes } = known ? hostile(message, version, random) : { bytes: random.bytes(random.below(40)) }
    const metadata = Object.values(metadataRecords).find(record => record.message === message)
    const key = coordinatorRecords.find(record => record.key === message)
    const prefix = Buffer.alloc(2)
    prefix.writeInt16BE(key ? key.type : version)
    // Types and versions of metadata records are small: one byte each.
    const front = metadata ? Buffer.from([random.chance(0.98) ? 1 : 2, metadata.type, version & 0x7f]) : prefix
    return { message: message.name, bytes: Buffer.concat([front, bytes]) }
  },
  run({ message: name, bytes }, memory) {
    const message = messageByName(name)!
    const metadata = Object.values(metadataRecords).find(record => record.message === message)
    const key = coordinatorRecords.find(record => record.key === message)
    const read = (work: () => unknown): unknown =>
      bounded({ input: bytes.length }, () => attempt(DecodeError, work), memory)
    if (metadata) read(() => decodeMetadataRecord(metadata, decodeMetadataFrame(bytes)))
    else if (key) read(() => decodeCoordinatorKey(key, bytes))
    else {
      read(() => decodeVersioned(message, bytes))
      read(() => decodeForward(message, bytes))
    }
    attempt(RecordError, () => decodeControlKey(bytes))
    attempt(RecordError, () => decodeEndTransactionMarker(bytes))
  },
}
