// What a person would write by hand for three versions of three messages, as the measure for the emitted code: straight
// on, fixed-size neighbours behind one check of the bytes left, the same checks and the same values.
import {
  DecodeError,
  EncodeError,
  ZERO_UUID,
  type AskOf,
  type ReplyOf,
  type RequestOf,
  type ResponseOf,
} from '../../protocol/index.ts'
import type { Fetch, Metadata, OffsetCommit } from '../../protocol/messages/index.ts'

interface Fast extends Buffer {
  utf8Slice(start: number, end: number): string
  base64urlSlice(start: number, end: number): string
  latin1Write(text: string, at: number, size: number): number
  utf8Write(text: string, at: number, size: number): number
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
      topicId: b.readInt32BE(t) === 0 && uuidIsZero(b, t) ? ZERO_UUID : (b as Fast).base64urlSlice(t, t + 16),
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

/** A growing buffer, used again and again. */
class Out {
  b = Buffer.allocUnsafeSlow(4096) as Fast
  view = new DataView(this.b.buffer)
  at = 0

  room(size: number): number {
    const at = this.at
    if (at + size > this.b.length) this.grow(at + size)
    this.at = at + size
    return at
  }

  grow(size: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.b.length * 2, size)) as Fast
    this.b.copy(larger)
    this.b = larger
    this.view = new DataView(larger.buffer)
  }

  uvarint(value: number): void {
    let rest = value
    for (; rest > 0x7f; rest >>>= 7) this.b[this.room(1)] = (rest & 0x7f) | 0x80
    const at = this.room(1)
    this.b[at] = rest
  }

  string(text: string | null): void {
    if (text === null) throw new EncodeError('null')
    const size = Buffer.byteLength(text)
    if (size > 0x7fff) throw new EncodeError('string too long')
    this.uvarint(size + 1)
    const at = this.room(size)
    if (size === text.length) this.b.latin1Write(text, at, size)
    else this.b.utf8Write(text, at, size)
  }

  nullableString(text: string | null): void {
    if (text === null) this.uvarint(0)
    else this.string(text)
  }

  int16(value: number): void {
    const at = this.room(2)
    this.view.setInt16(at, checked16(value))
  }

  int32(value: number): void {
    const at = this.room(4)
    this.view.setInt32(at, checked32(value))
  }

  int32s(list: readonly number[]): void {
    this.uvarint(list.length + 1)
    let at = this.room(list.length * 4)
    for (let i = 0; i < list.length; i++, at += 4) this.view.setInt32(at, checked32(list[i]!))
  }

  int64(at: number, value: number): void {
    if (!Number.isSafeInteger(value)) throw new EncodeError('not an int64')
    this.view.setInt32(at, Math.floor(value / 4294967296))
    this.view.setInt32(at + 4, value)
  }

  uuid(text: string): void {
    const at = this.room(16)
    if (text === ZERO_UUID) this.b.fill(0, at, at + 16)
    else if (text.length !== 22 || this.b.write(text, at, 16, 'base64url') !== 16) throw new EncodeError('not a uuid')
  }
}

function checked16(value: number): number {
  if ((value << 16) >> 16 !== value) throw new EncodeError(`not an int16: ${value}`)
  return value
}

function checked32(value: number): number {
  if ((value | 0) !== value) throw new EncodeError(`not an int32: ${value}`)
  return value
}

const out = new Out()

/** What the other side gets as well: a view on the buffer, until the next message. */
function written(): Buffer {
  return out.b.subarray(0, out.at)
}

export function encodeOffsetCommit(value: AskOf<typeof OffsetCommit>): Buffer {
  out.at = 0
  out.string(value.groupId)
  out.int32(value.generationIdOrMemberEpoch ?? -1)
  out.string(value.memberId ?? '')
  out.nullableString(value.groupInstanceId ?? null)
  out.uvarint(value.topics.length + 1)
  for (const { name, partitions } of value.topics) {
    out.string(name ?? '')
    out.uvarint(partitions.length + 1)
    for (const partition of partitions) {
      const at = out.room(16)
      out.view.setInt32(at, checked32(partition.partitionIndex))
      out.int64(at + 4, partition.committedOffset)
      out.view.setInt32(at + 12, checked32(partition.committedLeaderEpoch ?? -1))
      out.nullableString(partition.committedMetadata)
      out.uvarint(0)
    }
    out.uvarint(0)
  }
  out.uvarint(0)
  return written()
}

export function encodeFetch(value: AskOf<typeof Fetch>): Buffer {
  out.at = 0
  const at = out.room(25)
  out.view.setInt32(at, checked32(value.replicaId ?? -1))
  out.view.setInt32(at + 4, checked32(value.maxWaitMs))
  out.view.setInt32(at + 8, checked32(value.minBytes))
  out.view.setInt32(at + 12, checked32(value.maxBytes ?? 0x7fffffff))
  out.b[at + 16] = value.isolationLevel ?? 0
  out.view.setInt32(at + 17, checked32(value.sessionId ?? 0))
  out.view.setInt32(at + 21, checked32(value.sessionEpoch ?? -1))
  out.uvarint(value.topics.length + 1)
  for (const { topic, partitions } of value.topics) {
    out.string(topic ?? '')
    out.uvarint(partitions.length + 1)
    for (const partition of partitions) {
      const p = out.room(33)
      out.view.setInt32(p, checked32(partition.partition))
      out.view.setInt32(p + 4, checked32(partition.currentLeaderEpoch ?? -1))
      out.int64(p + 8, partition.fetchOffset)
      out.view.setInt32(p + 16, checked32(partition.lastFetchedEpoch ?? -1))
      out.int64(p + 20, partition.logStartOffset ?? -1)
      out.view.setInt32(p + 28, checked32(partition.partitionMaxBytes))
      out.b[p + 32] = 0
    }
    out.uvarint(0)
  }
  const forgotten = value.forgottenTopicsData ?? []
  out.uvarint(forgotten.length + 1)
  for (const { topic, partitions } of forgotten) {
    out.string(topic ?? '')
    out.int32s(partitions)
    out.uvarint(0)
  }
  out.string(value.rackId ?? '')
  if (value.clusterId === undefined || value.clusterId === null) out.uvarint(0)
  else throw new EncodeError('left out here')
  return written()
}

export function encodeMetadata(value: ReplyOf<typeof Metadata>): Buffer {
  out.at = 0
  out.int32(value.throttleTimeMs ?? 0)
  out.uvarint(value.brokers.length + 1)
  for (const { nodeId, host, port, rack } of value.brokers) {
    out.int32(nodeId)
    out.string(host)
    out.int32(port)
    out.nullableString(rack ?? null)
    out.uvarint(0)
  }
  out.nullableString(value.clusterId ?? null)
  out.int32(value.controllerId ?? -1)
  out.uvarint(value.topics.length + 1)
  for (const topic of value.topics) {
    out.int16(topic.errorCode)
    out.nullableString(topic.name)
    out.uuid(topic.topicId ?? ZERO_UUID)
    out.b[out.room(1)] = topic.isInternal === true ? 1 : 0
    out.uvarint(topic.partitions.length + 1)
    for (const partition of topic.partitions) {
      const at = out.room(14)
      out.view.setInt16(at, checked16(partition.errorCode))
      out.view.setInt32(at + 2, checked32(partition.partitionIndex))
      out.view.setInt32(at + 6, checked32(partition.leaderId))
      out.view.setInt32(at + 10, checked32(partition.leaderEpoch ?? -1))
      out.int32s(partition.replicaNodes)
      out.int32s(partition.isrNodes)
      out.int32s(partition.offlineReplicas ?? [])
      out.uvarint(0)
    }
    out.int32(topic.topicAuthorizedOperations ?? -0x80000000)
    out.uvarint(0)
  }
  out.uvarint(0)
  return written()
}
