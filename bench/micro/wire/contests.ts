// The emitted codec against one written by hand, on three messages, both directions.
import { isDeepStrictEqual } from 'node:util'
import { decode, encode } from '../../../protocol/compile.ts'
import type { Message } from '../../../protocol/api.ts'
import { Fetch, Metadata, OffsetCommit } from '../../../protocol/messages/index.ts'
import { Reader } from '../../../protocol/reader.ts'
import type { Shape } from '../../../protocol/schema.ts'
import { Writer } from '../../../protocol/writer.ts'
import type { Contest } from '../contest.ts'
import * as fromBytes from './hand-decode.ts'
import * as toBytes from './hand-encode.ts'
import * as samples from './samples.ts'

const reference = 'written by hand'

function contests<M extends Message<Shape>>(
  name: string,
  message: M,
  version: number,
  value: never,
  read: (bytes: Buffer) => unknown,
  write: (value: never) => Buffer,
): Contest[] {
  const writer = new Writer()
  encode(message, version, value, writer)
  const bytes = writer.toBuffer()
  if (!write(value).equals(bytes)) throw new Error(`${name}: the two encoders differ`)
  if (!isDeepStrictEqual(read(bytes), decode(message, version, new Reader(bytes)))) {
    throw new Error(`${name}: the two decoders differ`)
  }
  return [
    {
      name: `decode ${name}, ${bytes.length} bytes`,
      reference,
      ours: () => decode(message, version, new Reader(bytes)),
      theirs: () => read(bytes),
    },
    {
      name: `encode ${name}`,
      reference,
      ours() {
        const w = new Writer()
        encode(message, version, value, w)
        const { chunks, release } = w.finish()
        release()
        return chunks
      },
      theirs: () => write(value),
    },
  ]
}

export const wireContests = (): Contest[] => [
  ...contests(
    'OffsetCommit 8 request',
    OffsetCommit.request,
    8,
    samples.offsetCommit as never,
    fromBytes.decodeOffsetCommit,
    toBytes.encodeOffsetCommit,
  ),
  ...contests(
    'Fetch 12 request',
    Fetch.request,
    12,
    samples.fetch as never,
    fromBytes.decodeFetch,
    toBytes.encodeFetch,
  ),
  ...contests(
    'Metadata 12 response',
    Metadata.response,
    12,
    samples.metadata as never,
    fromBytes.decodeMetadata,
    toBytes.encodeMetadata,
  ),
]
