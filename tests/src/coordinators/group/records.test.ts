// Records of every version that Kafka has ever written, and of other kinds.
import { describe, expect, it } from 'vitest'
import { DecodeError } from '../../../../protocol/reader.ts'
import { ZERO_UUID } from '../../../../protocol/schema.ts'
import { encodeCoordinatorKey } from '../../../../protocol/state/coordinator-record.ts'
import {
  groupMetadataRecord,
  legacyOffsetCommitRecord,
  offsetCommitRecord,
} from '../../../../protocol/state/group-coordinator.ts'
import { encodeVersioned } from '../../../../protocol/state/versioned.ts'
import type { StoredRecord } from '../../../../src/coordinators/machine.ts'
import { decodeRecord, encodeRecord, groupFromValue } from '../../../../src/coordinators/group/records.ts'
import { GroupMachine } from '../../../../src/coordinators/group/machine.ts'
import { recordingLogger } from '../../../../src/runtime/index.ts'
import type { LogLine } from '../../../../src/runtime/index.ts'
import { subscription } from './requests.ts'
import { defaultConfig } from './world.ts'

const stored = (key: Buffer | null, value: Buffer | null): StoredRecord => ({
  offset: 0,
  key,
  value,
  producerId: -1,
  isTransactional: false,
  marker: null,
})
const never = (type: number) => {
  throw new Error(`unknown type ${type}`)
}

const member = {
  memberId: 'm-1',
  groupInstanceId: 'i',
  clientId: 'c',
  clientHost: '/10.0.0.1',
  rebalanceTimeout: 70_000,
  sessionTimeout: 20_000,
  subscription: subscription(['t']),
  assignment: Buffer.from('a'),
}
const group = {
  protocolType: 'consumer',
  generation: 7,
  protocol: 'range',
  leader: 'm-1',
  currentStateTimestamp: 123,
  members: [member],
}

describe('group metadata', () => {
  it.each([0, 1, 2, 3, 4])('of version %i is read with what that version has', version => {
    const key = encodeCoordinatorKey(groupMetadataRecord, { group: 'g' })
    const record = decodeRecord(stored(key, encodeVersioned(groupMetadataRecord.value, version, group)), never)
    if (record?.kind !== 'group' || !record.value) throw new Error('not read as a group')
    const loaded = groupFromValue(record.groupId, record.value)
    expect(loaded).toMatchObject({ state: 'Stable', generationId: 7, protocolName: 'range', leaderId: 'm-1' })
    expect(loaded.stateTimestamp).toBe(version >= 2 ? 123 : null)
    expect(loaded.subscribedTopics).toEqual(new Set(['t']))
    expect(loaded.members.get('m-1')).toMatchObject({
      clientHost: '/10.0.0.1',
      groupInstanceId: version >= 3 ? 'i' : null,
      rebalanceTimeoutMs: version >= 1 ? 70_000 : 20_000,
      sessionTimeoutMs: 20_000,
    })
  })

  it('is written as version 3; without a value it is a tombstone', () => {
    const written = encodeRecord({ kind: 'group', groupId: 'g', value: group })
    expect(written?.value).toEqual(encodeVersioned(groupMetadataRecord.value, 3, group))
    expect(written?.key.toString('hex')).toBe('0002000167')
    expect(encodeRecord({ kind: 'group', groupId: 'g', value: null })?.value).toBeNull()
    expect(decodeRecord(stored(written!.key, null), never)).toEqual({ kind: 'group', groupId: 'g', value: null })
  })
})

describe('offsets', () => {
  const value = {
    offset: 5,
    leaderEpoch: 3,
    metadata: 'm',
    commitTimestamp: 100,
    expireTimestamp: 900,
    topicId: 'x'.repeat(21) + 'A',
  }
  const where = { group: 'g', topic: 't', partition: 2 }

  it.each([0, 1, 2, 3, 4])('of value version %i are read under both key types', version => {
    const bytes = encodeVersioned(offsetCommitRecord.value, version, value)
    for (const schema of [legacyOffsetCommitRecord, offsetCommitRecord]) {
      expect(decodeRecord(stored(encodeCoordinatorKey(schema, where), bytes), never)).toEqual({
        kind: 'offset',
        groupId: 'g',
        topic: 't',
        partition: 2,
        producerId: -1,
        value: {
          offset: 5,
          leaderEpoch: version >= 3 ? 3 : -1,
          metadata: 'm',
          commitTimestamp: 100,
          expireTimestamp: version === 1 ? 900 : -1,
          topicId: version >= 4 ? value.topicId : ZERO_UUID,
        },
      })
    }
  })

  it('are written as version 4, or 1 if the client chose when they expire', () => {
    const base = { kind: 'offset' as const, groupId: 'g', topic: 't', partition: 2, producerId: -1 }
    const lasting = encodeRecord({ ...base, value: { ...value, expireTimestamp: -1 } })
    expect(lasting?.value).toEqual(encodeVersioned(offsetCommitRecord.value, 4, { ...value, expireTimestamp: -1 }))
    expect(encodeRecord({ ...base, value })?.value?.readInt16BE(0)).toBe(1)
    expect(encodeRecord({ ...base, value: null })?.value).toBeNull()
  })
})

describe('other records', () => {
  it('of unknown types are left alone and named once', () => {
    const lines: LogLine[] = []
    const machine = new GroupMachine(defaultConfig, recordingLogger(lines))
    const key = (type: number) => Buffer.from([0, type, 0, 1, 103])
    for (const type of [3, 3, 8, 3, 77]) expect(machine.decode(stored(key(type), Buffer.alloc(4)))).toBeNull()
    expect(lines.map(({ fields }) => fields['type'])).toEqual([3, 8, 77])
    expect(machine.decode(stored(null, Buffer.alloc(1)))).toBeNull()
  })

  it('that are damaged are refused', () => {
    const key = encodeCoordinatorKey(groupMetadataRecord, { group: 'g' })
    expect(() => decodeRecord(stored(key, Buffer.from([0, 9, 0])), never)).toThrow(DecodeError)
    expect(() => decodeRecord(stored(Buffer.from([0]), null), never)).toThrow(DecodeError)
    expect(() => decodeRecord(stored(key.subarray(0, 4), null), never)).toThrow(DecodeError)
  })

  it('that end a transaction are the marker of a control batch', () => {
    const entry = encodeRecord({ kind: 'endTransaction', producerId: 1, committed: true, coordinatorEpoch: 7 })!
    expect(entry.key.toString('hex')).toBe('00000001')
    expect(entry.value!.toString('hex')).toBe('000000000007')
    const abort = encodeRecord({ kind: 'endTransaction', producerId: 1, committed: false, coordinatorEpoch: 7 })!
    expect(abort.key.toString('hex')).toBe('00000000')
  })
})
