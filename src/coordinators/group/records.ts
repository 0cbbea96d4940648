// The group machine's records in the formats of __consumer_offsets: which versions are written (Kafka 4.4's choice,
// GroupCoordinatorRecordHelpers.java), and what is read back.
import type { LogEntry, StoredRecord } from '../machine.ts'
import type { GroupRecord, GroupValue } from './commands.ts'
import type { Group, GroupView, Member } from './classic/group.ts'
import { ABORT, COMMIT, encodeControlKey, encodeEndTransactionMarker } from '../../../protocol/records/control.ts'
import {
  coordinatorKeyType,
  decodeCoordinatorKey,
  encodeCoordinatorKey,
} from '../../../protocol/state/coordinator-record.ts'
import {
  groupMetadataRecord,
  legacyOffsetCommitRecord,
  offsetCommitRecord,
} from '../../../protocol/state/group-coordinator.ts'
import { decodeVersioned, encodeVersioned } from '../../../protocol/state/versioned.ts'
import { addMember, computeSubscribedTopics, metadataOf, newGroup } from './classic/group.ts'

type OffsetRecord = Extract<GroupRecord, { kind: 'offset' }>
type MetadataRecord = Extract<GroupRecord, { kind: 'group' }>

/** Written: GroupMetadataValue 3; OffsetCommitValue 4 (with the topic id), or 1 if the client chose a retention time. */
const GROUP_VALUE_VERSION = 3
const OFFSET_VALUE_VERSION = 4
const EXPIRING_OFFSET_VALUE_VERSION = 1

/** Null: soft state. */
export function encodeRecord(record: GroupRecord): LogEntry | null {
  switch (record.kind) {
    case 'offset':
      return encodeOffset(record)
    case 'group':
      return {
        key: encodeCoordinatorKey(groupMetadataRecord, { group: record.groupId }),
        value: record.value && encodeVersioned(groupMetadataRecord.value, GROUP_VALUE_VERSION, record.value),
      }
    case 'endTransaction':
      return {
        key: encodeControlKey(record.committed ? COMMIT : ABORT),
        value: encodeEndTransactionMarker(record.coordinatorEpoch),
      }
    case 'soft':
      return null
  }
}

function encodeOffset({ groupId, topic, partition, value }: OffsetRecord): LogEntry {
  const key = encodeCoordinatorKey(offsetCommitRecord, { group: groupId, topic, partition })
  if (!value) return { key, value: null }
  const version = value.expireTimestamp === -1 ? OFFSET_VALUE_VERSION : EXPIRING_OFFSET_VALUE_VERSION
  return { key, value: encodeVersioned(offsetCommitRecord.value, version, value) }
}

/** Types of records that belong to other kinds of groups are told to `unknown`. Throws DecodeError. */
export function decodeRecord(stored: StoredRecord, unknown: (type: number) => void): GroupRecord | null {
  const { key, value, producerId } = stored
  if (stored.marker) {
    return { kind: 'endTransaction', producerId, committed: stored.marker === 'commit', coordinatorEpoch: -1 }
  }
  if (!key) return null
  const type = coordinatorKeyType(key)
  switch (type) {
    case legacyOffsetCommitRecord.type:
    case offsetCommitRecord.type: {
      const schema = type === offsetCommitRecord.type ? offsetCommitRecord : legacyOffsetCommitRecord
      const { group, topic, partition } = decodeCoordinatorKey(schema, key)
      // Values are read by their own version: Kafka has written all of them under either key.
      const offset = value && decodeVersioned(offsetCommitRecord.value, value).value
      return {
        kind: 'offset',
        groupId: group,
        topic,
        partition,
        value: offset,
        producerId: stored.isTransactional ? producerId : -1,
      }
    }
    case groupMetadataRecord.type: {
      const { group } = decodeCoordinatorKey(groupMetadataRecord, key)
      const metadata = value && decodeVersioned(groupMetadataRecord.value, value).value
      return { kind: 'group', groupId: group, value: metadata }
    }
    default:
      unknown(type)
      return null
  }
}

/** The group as its record has it. Members carry only the chosen protocol's metadata. */
export function groupFromValue(groupId: string, value: GroupValue): Group {
  const group = newGroup(groupId, value.currentStateTimestamp === -1 ? null : value.currentStateTimestamp)
  group.state = value.members.length > 0 ? 'Stable' : 'Empty'
  group.generationId = value.generation
  group.protocolType = value.protocolType === '' ? null : value.protocolType
  group.protocolName = value.protocol
  group.leaderId = value.leader
  for (const member of value.members) {
    addMember(group, {
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      // Written before version 1 (Kafka 0.10): the session timeout was both.
      rebalanceTimeoutMs: member.rebalanceTimeout === -1 ? member.sessionTimeout : member.rebalanceTimeout,
      sessionTimeoutMs: member.sessionTimeout,
      protocolType: value.protocolType,
      protocols: [{ name: value.protocol ?? '', metadata: member.subscription }],
      assignment: member.assignment,
      joinTicket: null,
      syncTicket: null,
      isNew: false,
    })
  }
  group.subscribedTopics = computeSubscribedTopics(group)
  return group
}

/** What is written when a generation is settled. */
export function groupRecord(group: GroupView): MetadataRecord {
  return {
    kind: 'group',
    groupId: group.groupId,
    value: {
      protocolType: group.protocolType ?? '',
      generation: group.generationId,
      protocol: group.protocolName,
      leader: group.leaderId,
      currentStateTimestamp: group.stateTimestamp ?? -1,
      members: [...group.members.values()].map(member => memberValue(member, group.protocolName ?? '')),
    },
  }
}

const memberValue = (member: Member, protocolName: string) => ({
  memberId: member.memberId,
  groupInstanceId: member.groupInstanceId,
  clientId: member.clientId,
  clientHost: member.clientHost,
  rebalanceTimeout: member.rebalanceTimeoutMs,
  sessionTimeout: member.sessionTimeoutMs,
  subscription: metadataOf(member, protocolName),
  assignment: member.assignment,
})

/** What is written when a group comes into being, before anybody has joined it. */
export function emptyGroupRecord(group: GroupView): MetadataRecord {
  return groupRecord({
    ...group,
    protocolType: null,
    protocolName: null,
    leaderId: null,
    generationId: 0,
    members: new Map(),
  })
}
