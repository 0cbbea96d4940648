// The decoders that a person would write for three versions of three messages, as the measure for the emitted code: straight
// on, fixed-size neighbours behind one check of the bytes left, the same checks and the same values.
import { DecodeError, ZERO_UUID, type RequestOf, type ResponseOf } from '../../../protocol/index.ts'
import type { Fetch, Metadata, OffsetCommit } from '../../../protocol/messages/index.ts'

interface Fast extends Buffer {
  utf8Slice(start: number, end: number): string
  base64urlSlice(start: number, end: number): string
}

/** A cursor over the bytes. */
class In {
  readonly b: Fast
  at = 0
  readonly end: number
  elements = 250_000

  constructor(b: Buffer) {
    this.b = b as Fast
    this.end = b.length
  }

  take(size: number): number {
    const at = this.at
    if (size > this.end - at) throw new DecodeError(`${size} bytes needed`)
    this.at = at + size
    return at
  }

  uvarint(): number {
    const first = this.b[this.take(1)]!
    if (first < 0x80) return first
    let value = first & 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.b[this.take(1)]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new DecodeError('varint too long')
  }

  string(): string {
    const size = this.uvarint() - 1
    if (size < 0 || size > 0x7fff) throw new DecodeError('no string')
    if (size === 0) return ''
    const at = this.take(size)
    return this.b.utf8Slice(at, at + size)
  }

  nullableString(): string | null {
    const size = this.uvarint() - 1
    if (size < 0) return null
    if (size > 0x7fff) throw new DecodeError('string too long')
    if (size === 0) return ''
    const at = this.take(size)
    return this.b.utf8Slice(at, at + size)
  }

  count(minimum: number): number {
    const count = this.uvarint() - 1
    this.elements -= count
    if (count < 0 || count * minimum > this.end - this.at || this.elements < 0) throw new DecodeError('bad count')
    return count
  }

  skipTags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint()
      this.take(this.uvarint())
    }
  }

  int32s(): number[] {
    const count = this.count(4)
    const b = this.b
    let p = this.take(count * 4)
    const list: number[] = []
    for (let i = 0; i < count; i++, p += 4) list.push(int32(b, p))
    return list
  }
}

const int16 = (b: Buffer, at: number): number => (((b[at]! << 8) | b[at + 1]!) << 16) >> 16
const int32 = (b: Buffer, at: number): number => (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!

function int64(b: Buffer, at: number): number {
  const high = int32(b, at)
  const low = int32(b, at + 4) >>> 0
  if (high >= -0x200000 && high < 0x200000) return high * 4294967296 + low
  if (high === 0x7fffffff && low === 0xffffffff) return 2 ** 63
  throw new DecodeError('int64 outside the range that is held exactly')
}

export function decodeOffsetCommit(bytes: Buffer): RequestOf<typeof OffsetCommit> {
  const r = new In(bytes)
  const { b } = r
  const groupId = r.string()
  const generationIdOrMemberEpoch = int32(b, r.take(4))
  const memberId = r.string()
  const groupInstanceId = r.nullableString()
  const topics: RequestOf<typeof OffsetCommit>['topics'] = []
  for (let i = r.count(3); i > 0; i--) {
    const name = r.string()
    const partitions: (typeof topics)[number]['partitions'] = []
    for (let j = r.count(18); j > 0; j--) {
      const p = r.take(16)
      const committedMetadata = r.nullableString()
      r.skipTags()
      partitions.push({
        partitionIndex: int32(b, p),
        committedOffset: int64(b, p + 4),
        committedLeaderEpoch: int32(b, p + 12),
        commitTimestamp: -1,
        committedMetadata,
      })
    }
    r.skipTags()
    topics.push({ name, topicId: ZERO_UUID, partitions })
  }
  r.skipTags()
  return { groupId, generationIdOrMemberEpoch, memberId, groupInstanceId, retentionTimeMs: -1, topics }
}

export function decodeFetch(bytes: Buffer): RequestOf<typeof Fetch> {
  const r = new In(bytes)
  const { b } = r
  const h = r.take(25)
  const topics: RequestOf<typeof Fetch>['topics'] = []
  for (let i = r.count(3); i > 0; i--) {
    const topic = r.string()
    const partitions: (typeof topics)[number]['partitions'] = []
    for (let j = r.count(33); j > 0; j--) {
      const p = r.take(32)
      r.skipTags()
      partitions.push({
        partition: int32(b, p),
        currentLeaderEpoch: int32(b, p + 4),
        fetchOffset: int64(b, p + 8),
        lastFetchedEpoch: int32(b, p + 16),
        logStartOffset: int64(b, p + 20),
        partitionMaxBytes: int32(b, p + 28),
        replicaDirectoryId: ZERO_UUID,
        highWatermark: 2 ** 63,
      })
    }
    r.skipTags()
    topics.push({ topic, topicId: ZERO_UUID, partitions })
  }
  const forgottenTopicsData: RequestOf<typeof Fetch>['forgottenTopicsData'] = []
  for (let i = r.count(3); i > 0; i--) {
    const topic = r.string()
    const partitions = r.int32s()
    r.skipTags()
    forgottenTopicsData.push({ topic, topicId: ZERO_UUID, partitions })
  }
  const rackId = r.string()
  let clusterId: string | null = null
  for (let left = r.uvarint(); left > 0; left--) {
    if (r.uvarint() === 0) {
      r.uvarint()
      clusterId = r.nullableString()
    } else r.take(r.uvarint())
  }
  return {
    clusterId,
    replicaId: int32(b, h),
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    maxWaitMs: int32(b, h + 4),
    minBytes: int32(b, h + 8),
    maxBytes: int32(b, h + 12),
    isolationLevel: (b[h + 16]! << 24) >> 24,
    sessionId: int32(b, h + 17),
    sessionEpoch: int32(b, h + 21),
    topics,
    forgottenTopicsData,
    rackId,
  }
}

export function decodeMetadata(bytes: Buffer): ResponseOf<typeof Metadata> {
  const r = new In(bytes)
  const { b } = r
  const throttleTimeMs = int32(b, r.take(4))
  const brokers: ResponseOf<typeof Metadata>['brokers'] = []
  for (let i = r.count(11); i > 0; i--) {
    const nodeId = int32(b, r.take(4))
    const host = r.string()
    const port = int32(b, r.take(4))
    const rack = r.nullableString()
    r.skipTags()
    brokers.push({ nodeId, host, port, rack })
  }
  const clusterId = r.nullableString()
  const controllerId = int32(b, r.take(4))
  const topics: ResponseOf<typeof Metadata>['topics'] = []
  for (let i = r.count(26); i > 0; i--) {
    const errorCode = int16(b, r.take(2))
    const name = r.nullableString()
    const t = r.take(17)
    const partitions: (typeof topics)[number]['partitions'] = []
    for (let j = r.count(18); j > 0; j--) {
      const p = r.take(14)
      const replicaNodes = r.int32s()
      const isrNodes = r.int32s()
      const offlineReplicas = r.int32s()
      r.skipTags()
      partitions.push({
        errorCode: int16(b, p),
        partitionIndex: int32(b, p + 2),
        leaderId: int32(b, p + 6),
        leaderEpoch: int32(b, p + 10),
        replicaNodes,
        isrNodes,
        offlineReplicas,
      })
    }
    const topicAuthorizedOperations = int32(b, r.take(4))
    r.skipTags()
    topics.push({
      errorCode,
      name,
      topicId: b.readInt32BE(t) === 0 && uuidIsZero(b, t) ? ZERO_UUID : b.base64urlSlice(t, t + 16),
      isInternal: b[t + 16] !== 0,
      partitions,
      topicAuthorizedOperations,
    })
  }
  r.skipTags()
  return {
    throttleTimeMs,
    brokers,
    clusterId,
    controllerId,
    topics,
    clusterAuthorizedOperations: -0x80000000,
    errorCode: 0,
  }
}

function uuidIsZero(b: Buffer, at: number): boolean {
  for (let i = at; i < at + 16; i++) if (b[i] !== 0) return false
  return true
}
