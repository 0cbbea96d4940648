// Codecs as batches are compressed with them, against the libraries without framing, limits and checks around them.
import { createRequire } from 'node:module'
import * as zlib from 'node:zlib'
import * as codecs from '../../protocol/records/compression.ts'
import type { Contest } from './contest.ts'

const require = createRequire(import.meta.url)
const LIMIT = 1 << 30

interface Raw {
  readonly reference: string
  compress(bytes: Buffer): Uint8Array
  decompress(bytes: Uint8Array): Uint8Array
}

/** What a batch of some hundred small events may look like. */
function payload(): Buffer {
  const events = Array.from({ length: 500 }, (_, i) => {
    const amount = ((i * 7919) % 100_000) / 100
    return JSON.stringify({ id: i * 104_729, user: `user-${(i * 31) % 977}`, type: 'payment', amount, ok: i % 7 > 0 })
  })
  return Buffer.from(events.join('\n'))
}

function raws(): Record<number, Raw> {
  const snappy = require('snappyjs') as Omit<Raw, 'reference' | 'decompress'> & { uncompress: Raw['decompress'] }
  const lz4 = require('lz4-wasm-nodejs') as Omit<Raw, 'reference'>
  const zstd = require('@bokuweb/zstd-wasm') as {
    compress(bytes: Uint8Array, level: number): Uint8Array
    decompress(bytes: Uint8Array): Uint8Array
  }
  return {
    [codecs.GZIP]: { reference: 'zlib of Node', compress: zlib.gzipSync, decompress: zlib.gunzipSync },
    [codecs.SNAPPY]: { reference: 'snappyjs', compress: snappy.compress, decompress: snappy.uncompress },
    [codecs.LZ4]: { reference: 'lz4-wasm-nodejs', compress: lz4.compress, decompress: lz4.decompress },
    [codecs.ZSTD]: {
      reference: '@bokuweb/zstd-wasm',
      compress: bytes => zstd.compress(bytes, 3),
      decompress: bytes => zstd.decompress(bytes),
    },
  }
}

export async function codecContests(): Promise<Contest[]> {
  await codecs.codecReady(codecs.ZSTD)
  const bytes = payload()
  return Object.entries(raws()).flatMap(([id, raw]): Contest[] => {
    const codec = Number(id)
    const name = codecs.codecName(codec)!
    const [ours, theirs] = [codecs.compress(codec, bytes), raw.compress(bytes)]
    if (!codecs.decompress(codec, ours, LIMIT).equals(bytes) || !bytes.equals(raw.decompress(theirs))) {
      throw new Error(`${name}: not what was compressed`)
    }
    const common = { reference: raw.reference, bytes: bytes.length }
    return [
      {
        ...common,
        name: `${name} compress, to ${((100 * ours.length) / bytes.length).toFixed(0)} %`,
        ours: () => codecs.compress(codec, bytes),
        theirs: () => raw.compress(bytes),
      },
      {
        ...common,
        name: `${name} decompress`,
        ours: () => codecs.decompress(codec, ours, LIMIT),
        theirs: () => raw.decompress(theirs),
      },
    ]
  })
}
