// The parts of the memory budget that a broker without its sockets needs: records in memory, work on them, and what it
// remembers of clients.
import type { MemoryShares } from '../config/index.ts'
import type { ClientTelemetry } from '../observe/client-telemetry.ts'
import type { Coordinators } from './coordinators.ts'
import type { FetchSessions } from './fetch-sessions.ts'
import type { PartitionTable } from './partition-table.ts'
import { decompression } from '../../protocol/records/compression.ts'
import { Arena } from '../../storage/arena.ts'
import { readBuffersOf } from '../../storage/read-buffers.ts'
import { measured, MemoryMeter, type MemoryBudget } from '../runtime/memory.ts'

/** Many small slabs are let go of sooner, few large ones are faster. */
const SLABS = 8
const LARGEST_SLAB = 4 * 1024 * 1024
const FREE_SLABS = 2

/** What a producer and its last batches take, roughly. */
const PRODUCER_BYTES = 500

/** Memory for the records of all logs: the tail and what is read from files. */
export function arenaFor(
  memory: MemoryBudget,
  { tail, cache, reads }: MemoryShares,
  later: (task: () => void) => void,
): Arena {
  const slabBytes = Math.min(LARGEST_SLAB, Math.floor(cache / SLABS))
  const arena = new Arena({
    slabBytes,
    tailBytes: cache,
    freeSlabs: FREE_SLABS,
    // When no more is pinned on purpose, all of the tail may already be, and the next one be full.
    pinnedBytes: tail - 2 * cache - FREE_SLABS * slabBytes,
    readBytes: reads,
    later,
  })
  memory.reserve('log.tail', tail, arena)
  memory.reserve('log.reads', reads, readBuffersOf(arena))
  return arena
}

/** For the maps and buffers of compaction. */
export function workFor(memory: MemoryBudget, shares: MemoryShares): MemoryMeter {
  // One batch at a time, gone with the next garbage collection.
  memory.reserve('decompression', shares.decompression, decompression)
  return memory.reserve('compaction', shares.compaction, new MemoryMeter(shares.compaction))
}

/** Of what the broker remembers of clients, sessions and metrics have bounds; groups and producers are only counted. */
export const stateShares = ({ state }: MemoryShares) => ({
  sessions: Math.floor(state / 2),
  clientMetrics: Math.floor(state / 4),
  groups: Math.floor(state / 8),
  producers: Math.floor(state / 8),
})

interface Rememberers {
  readonly coordinators: Coordinators
  readonly partitions: PartitionTable
  readonly sessions: FetchSessions
  readonly telemetry: ClientTelemetry
}

export function reserveState(memory: MemoryBudget, shares: MemoryShares, of: Rememberers): void {
  const { sessions, clientMetrics, groups, producers } = stateShares(shares)
  memory.reserve(
    'fetch.sessions',
    sessions,
    measured(() => of.sessions.bytes),
  )
  memory.reserve(
    'client.metrics',
    clientMetrics,
    measured(() => of.telemetry.bytes),
  )
  memory.reserve(
    'groups',
    groups,
    measured(() => of.coordinators.stateBytes),
  )
  memory.reserve(
    'producers',
    producers,
    measured(() => producersOf(of.partitions) * PRODUCER_BYTES),
  )
}

/** Logs that rest have theirs on disk. */
function producersOf(partitions: PartitionTable): number {
  let count = 0
  for (const { log } of partitions.all()) if (log.isOpen) count += log.producers.size
  return count
}
