// The encoders that a person would write for three versions of three messages, as the measure for the emitted code, with
// the same checks and the same bytes.
import { EncodeError, ZERO_UUID, type AskOf, type ReplyOf } from '../../../protocol/index.ts'
import type { Fetch, Metadata, OffsetCommit } from '../../../protocol/messages/index.ts'

interface Fast extends Buffer {
  latin1Write(text: string, at: number, size: number): number
  utf8Write(text: string, at: number, size: number): number
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
