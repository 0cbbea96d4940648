// ListOffsets finds offsets by time or by one of the special timestamps. Kafka: ReplicaManager.scala (fetchOffset),
// Partition.scala (fetchOffsetForTimestamp); KIP-79, KIP-734 (max timestamp), KIP-405, KIP-1005, KIP-1023 (tiers).
import type { ReplyOf, RequestOf } from '../../protocol/api.ts'
import type { Partition } from '../broker/partition.ts'
import type { RequestContext } from './handler.ts'
import { codecReady, ZSTD } from '../../protocol/records/compression.ts'
import {
  FENCED_LEADER_EPOCH,
  INVALID_REQUEST,
  KAFKA_STORAGE_ERROR,
  KafkaError,
  NONE,
  UNSUPPORTED_VERSION,
} from '../../protocol/errors.ts'
import { ListOffsets } from '../../protocol/messages/02-list-offsets.ts'
import { asServerError } from './errors.ts'
import { handler } from './handler.ts'

type Request = RequestOf<typeof ListOffsets>
type Asked = Request['topics'][number]['partitions'][number]
type PartitionReply = ReplyOf<typeof ListOffsets>['topics'][number]['partitions'][number]
type Found = { timestamp: number; offset: number; leaderEpoch: number }

const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6

/** The first version that knows each special timestamp. */
const SINCE = new Map([
  [LATEST, 0],
  [EARLIEST, 0],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11],
])

/** The replica id of a consumer; others may read up to the log's end. */
const CONSUMER = -1

export const listOffsets = handler(
  ListOffsets,
  {
    onError: (request, error) => ({
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => nothing(partitionIndex, error.code)),
      })),
    }),
  },
  (request, context) => {
    // A lookup by time may have to open a batch of any codec; zstd is loaded in the first moments of a process.
    // Where it cannot be, the partitions that need it say so.
    const go = (): ReplyOf<typeof ListOffsets> => answer(request, context)
    const loading = codecReady(ZSTD)
    if (loading === null) return go()
    context.holdNext()
    return loading.then(go, go)
  },
)

function answer(request: Request, context: RequestContext): ReplyOf<typeof ListOffsets> {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const { name, partitions } of request.topics) {
    for (const { partitionIndex } of partitions) {
      const key = `${name}/${partitionIndex}`
      if (seen.has(key)) twice.add(key)
      seen.add(key)
    }
  }
  return {
    topics: (context.apiVersion === 0 ? request.topics : distinct(request.topics)).map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(asked => {
        // Version 0 of old answers each on its own.
        if (context.apiVersion > 0 && twice.has(`${name}/${asked.partitionIndex}`))
          return nothing(asked.partitionIndex, INVALID_REQUEST)
        if (asked.timestamp < 0 && context.apiVersion < (SINCE.get(asked.timestamp) ?? Infinity)) {
          return nothing(asked.partitionIndex, UNSUPPORTED_VERSION)
        }
        return lookUp(name, asked, request.isolationLevel === 1, request.replicaId === CONSUMER, context)
      }),
    })),
  }
}

/** Topics and partitions in the order of their first mention; a topic without partitions is not answered. */
function distinct(topics: Request['topics']): Request['topics'] {
  const found = new Map<string, Map<number, Asked>>()
  for (const { name, partitions } of topics) {
    const known = found.get(name) ?? new Map<number, Asked>()
    for (const asked of partitions) if (!known.has(asked.partitionIndex)) known.set(asked.partitionIndex, asked)
    if (known.size > 0) found.set(name, known)
  }
  return [...found].map(([name, partitions]) => ({ name, partitions: [...partitions.values()] }))
}

function lookUp(
  topic: string,
  asked: Asked,
  committed: boolean,
  isConsumer: boolean,
  context: RequestContext,
): PartitionReply {
  try {
    const partition = context.broker.partitions.require(topic, asked.partitionIndex)
    // Here, unlike in Fetch, only -1 means "no check".
    if (asked.currentLeaderEpoch < -1) throw new KafkaError(FENCED_LEADER_EPOCH)
    partition.checkLeaderEpoch(asked.currentLeaderEpoch)
    partition.catchUp()
    const { log } = partition
    if (log.offline) throw new KafkaError(KAFKA_STORAGE_ERROR)
    if (context.apiVersion === 0) {
      const { partitionIndex } = asked
      return {
        partitionIndex,
        errorCode: NONE,
        oldStyleOffsets: offsetsBefore(partition, asked, isConsumer, context.now),
      }
    }
    const end = isConsumer ? (committed ? partition.lastStableOffset : partition.highWatermark) : log.logEndOffset
    let found: Found | null
    switch (asked.timestamp) {
      case LATEST:
        found = { timestamp: -1, offset: end, leaderEpoch: partition.leaderEpoch }
        break
      case EARLIEST:
      case EARLIEST_LOCAL:
        found = { timestamp: -1, offset: log.logStartOffset, leaderEpoch: log.epochForOffset(log.logStartOffset) }
        break
      case MAX_TIMESTAMP:
        found = below(end, log.maxTimestamp())
        break
      case LATEST_TIERED:
      case EARLIEST_PENDING_UPLOAD:
        // Nothing is tiered here.
        found = null
        break
      default:
        found = below(end, log.offsetForTimestamp(asked.timestamp))
    }
    if (found === null) return nothing(asked.partitionIndex, NONE)
    return { partitionIndex: asked.partitionIndex, errorCode: NONE, ...found }
  } catch (error) {
    return nothing(asked.partitionIndex, asServerError(error, context).code)
  }
}

/**
 * Version 0 asks for the last offsets of segments that are not younger than a time, largest first: the ends of the log's
 * files, for lack of a time index. Kafka 3.9: UnifiedLog.scala (legacyFetchOffsetsBefore), which goes by file times.
 */
function offsetsBefore({ log, highWatermark }: Partition, asked: Asked, isConsumer: boolean, now: number): number[] {
  const bounds = log.segmentBounds.map(({ baseOffset, time }) => ({
    offset: Math.max(baseOffset, log.logStartOffset),
    time,
  }))
  if (log.segmentBounds.at(-1)!.size > 0) bounds.push({ offset: log.logEndOffset, time: now })
  let until = bounds.length
  if (asked.timestamp === EARLIEST) until = 1
  else if (asked.timestamp !== LATEST) until = bounds.findLastIndex(({ time }) => time <= asked.timestamp) + 1
  const offsets = bounds.slice(Math.max(0, until - Math.max(0, asked.maxNumOffsets)), until).map(({ offset }) => offset)
  offsets.reverse()
  // Beyond the readable end there is only the end.
  const readable = offsets.filter(offset => offset <= highWatermark)
  return isConsumer && readable.length < offsets.length ? [highWatermark, ...readable] : offsets
}

/** What lies beyond the readable end is not found yet. */
const below = (end: number, found: Found | null): Found | null => (found && found.offset < end ? found : null)

const nothing = (partitionIndex: number, errorCode: number): PartitionReply => ({
  partitionIndex,
  errorCode,
  oldStyleOffsets: [],
  timestamp: -1,
  offset: -1,
  leaderEpoch: -1,
})
