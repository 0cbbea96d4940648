// How odradek.memory.bytes is divided: each pool gets what its own key says, or else its part of the whole.
import type { BrokerConfig } from './parse.ts'
import type { BrokerKeyName, BrokerValues } from './keys.ts'
import { ConfigError } from './values.ts'

/** Limits in bytes; together they are at most `total`. */
export interface MemoryShares {
  readonly total: number
  /** Requests that have not come whole, and what came behind one that holds the others back. */
  readonly receiving: number
  /** Requests that are not answered yet. */
  readonly unanswered: number
  /** Answers that have not left. */
  readonly answers: number
  /** Records read from files, waiting to be sent. */
  readonly reads: number
  /** The newest records: `cache` of them for reading, the rest for what slow readers still hold of older ones. */
  readonly tail: number
  readonly cache: number
  /** What one batch may be expanded to. */
  readonly decompression: number
  readonly compaction: number
  /** Groups and their offsets, transactions, producers, fetch sessions, metrics of clients. */
  readonly state: number
}

type Pool = Exclude<keyof MemoryShares, 'total' | 'cache'>

/** Parts of the whole, in 32nds. Pools are as large as they were measured to be needed with 1 GiB in all. */
const PARTS: Readonly<Record<Pool, number>> = {
  receiving: 8,
  unanswered: 3,
  answers: 4,
  reads: 4,
  tail: 4,
  decompression: 2,
  compaction: 5,
  state: 2,
}
const WHOLE = 32

/** Every log may have batches that are expanded to so much (storage/validate.ts). */
const LEAST_EXPANSION = 16 * 1024 * 1024

/** A pool that has no key is worth nothing below this part of what it should have. */
const LEAST = 0.25

/** Slow readers hold slabs of the tail that have left it: up to twice the cache, and as much again in one turn. */
const TAIL_FACTOR = 4

type Values = Pick<
  BrokerValues,
  | 'odradek.memory.bytes'
  | 'queued.max.request.bytes'
  | 'odradek.broker.max.bytes'
  | 'odradek.fetch.memory.bytes'
  | 'odradek.tail.cache.bytes'
  | 'log.cleaner.dedupe.buffer.size'
  | 'log.cleaner.io.buffer.size'
>

/** @throws ConfigError where the keys of single pools leave too little to the others */
export function memoryShares(config: Values, explicit: BrokerConfig['explicit']): MemoryShares {
  const total = config['odradek.memory.bytes']
  const chosen: [BrokerKeyName, Pool, number][] = []
  const choose = (key: keyof Values, pool: Pool, bytes: number): void => {
    // As in Kafka 0 sets no limit, like -1.
    if (config[key] > 0 && explicit.has(key)) chosen.push([key, pool, bytes])
  }
  choose('queued.max.request.bytes', 'receiving', config['queued.max.request.bytes'])
  choose('odradek.broker.max.bytes', 'unanswered', config['odradek.broker.max.bytes'])
  choose('odradek.fetch.memory.bytes', 'reads', config['odradek.fetch.memory.bytes'])
  choose('odradek.tail.cache.bytes', 'tail', config['odradek.tail.cache.bytes'] * TAIL_FACTOR)
  const cleaning = config['log.cleaner.dedupe.buffer.size'] + config['log.cleaner.io.buffer.size']
  choose('log.cleaner.dedupe.buffer.size', 'compaction', cleaning)

  const own = new Map(chosen.map(([, pool, bytes]) => [pool, bytes]))
  own.set('decompression', Math.max(LEAST_EXPANSION, Math.floor((total * PARTS.decompression) / WHOLE)))
  const taken = [...own.values()].reduce((sum, bytes) => sum + bytes, 0)
  const part = (pool: Pool): number => (own.has(pool) ? 0 : PARTS[pool])
  const others = (Object.keys(PARTS) as Pool[]).reduce((sum, pool) => sum + part(pool), 0)
  const scale = others === 0 ? 1 : Math.min(1, (total - taken) / ((total * others) / WHOLE))
  if (taken > total || scale < LEAST) {
    const keys = chosen.map(([key]) => key).join(' and ')
    const needed = chosen.reduce((sum, [, , bytes]) => sum + bytes, 0)
    throw new ConfigError(
      `odradek.memory.bytes (${total}) leaves too little beside ${keys}, which take ${needed} of it: raise the one or lower the other.`,
    )
  }
  const share = (pool: Pool): number => own.get(pool) ?? Math.floor((total * PARTS[pool] * scale) / WHOLE)
  const tail = share('tail')
  return {
    total,
    receiving: share('receiving'),
    unanswered: share('unanswered'),
    answers: share('answers'),
    reads: share('reads'),
    tail,
    cache: Math.floor(tail / TAIL_FACTOR),
    decompression: share('decompression'),
    compaction: share('compaction'),
    state: share('state'),
  }
}
