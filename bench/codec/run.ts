// `npm run bench:codec`: the emitted codec against one written by hand, on three messages, both directions. Rounds of both
// alternate, so that what else the machine does meets both; ratios are told of the fastest and of the median round.
// `-- --rounds N` changes how many; exit code 1 where a ratio of the fastest rounds is above 1.3.
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { decode, encode } from '../../protocol/compile.ts'
import type { Message } from '../../protocol/api.ts'
import { Fetch, Metadata, OffsetCommit } from '../../protocol/messages/index.ts'
import { Reader } from '../../protocol/reader.ts'
import type { Shape } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'
import * as fromBytes from './hand-decode.ts'
import * as toBytes from './hand-encode.ts'
import * as samples from './samples.ts'

const GOAL = 1.3
/** Long enough for the clock, short enough to fall between two time slices of the system. */
const ROUND_MS = 3

interface Contest {
  readonly name: string
  readonly emitted: () => unknown
  readonly byHand: () => unknown
}

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
      emitted: () => decode(message, version, new Reader(bytes)),
      byHand: () => read(bytes),
    },
    {
      name: `encode ${name}`,
      emitted() {
        const w = new Writer()
        encode(message, version, value, w)
        const { chunks, release } = w.finish()
        release()
        return chunks
      },
      byHand: () => write(value),
    },
  ]
}

/** Nanoseconds of one call, over `count` calls. */
function time(work: () => unknown, count: number): number {
  const start = process.hrtime.bigint()
  let last: unknown
  for (let i = 0; i < count; i++) last = work()
  if (last === undefined) throw new Error('it gave nothing')
  return Number(process.hrtime.bigint() - start) / count
}

function callsInRound(work: () => unknown): number {
  time(work, 2000)
  return Math.max(1, Math.round((ROUND_MS * 1e6) / time(work, 500)))
}

function compare({ name, emitted, byHand }: Contest, rounds: number): number {
  const count = Math.min(callsInRound(emitted), callsInRound(byHand))
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < rounds; round++) {
    // Who begins alternates too.
    if (round % 2 === 0) ours.push(time(emitted, count))
    theirs.push(time(byHand, count))
    if (round % 2 === 1) ours.push(time(emitted, count))
  }
  const [a, b] = [ours.toSorted((x, y) => x - y), theirs.toSorted((x, y) => x - y)]
  const middle = Math.floor(rounds / 2)
  const ratio = a[0]! / b[0]!
  const us = (ns: number): string => (ns / 1000).toFixed(2).padStart(7)
  console.log(
    `${name.padEnd(38)} min ${us(a[0]!)} ${us(b[0]!)} us  ${ratio.toFixed(2)}x   ` +
      `median ${us(a[middle]!)} ${us(b[middle]!)} us  ${(a[middle]! / b[middle]!).toFixed(2)}x`,
  )
  return ratio
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '200' } } })
const all = [
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
console.log('emitted, then written by hand')
const missed = all.filter(contest => compare(contest, Number(values.rounds)) > GOAL)
console.log(
  missed.length === 0 ? `all within ${GOAL}x` : `above ${GOAL}x: ${missed.map(({ name }) => name).join('; ')}`,
)
process.exitCode = missed.length === 0 ? 0 : 1
