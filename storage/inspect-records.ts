/** How records of internal topics and control records are printed: as JSON, like the decoders of Kafka's DumpLogSegments. */
import { DecodeError } from '../protocol/reader.ts'
import { Reader } from '../protocol/reader.ts'
import type { Message } from '../protocol/api.ts'
import { decode } from '../protocol/compile.ts'
import { toJson } from '../protocol/json.ts'
import type { Json } from '../protocol/json.ts'
import type { Shape } from '../protocol/schema.ts'
import { ConsumerProtocolAssignment, ConsumerProtocolSubscription } from '../protocol/state/consumer-protocol.ts'
import * as control from '../protocol/state/control-records.ts'
import {
  groupCoordinatorRecords,
  metadataRecords,
  shareCoordinatorRecords,
  transactionCoordinatorRecords,
} from '../protocol/state/index.ts'
import { decodeMetadataFrame } from '../protocol/state/metadata-record.ts'
import { decodeForward } from '../protocol/state/versioned.ts'
import { printTransactionMarker } from './inspect-log.ts'
import type { ControlPrinter, RecordPrinter } from './inspect-log.ts'

const controlMessages: { readonly [type: number]: readonly [label: string, Message<Shape>] } = {
  2: ['LeaderChange:', control.LeaderChangeMessage],
  3: ['SnapshotHeader', control.SnapshotHeaderRecord],
  4: ['SnapshotFooter', control.SnapshotFooterRecord],
  5: ['KRaftVersion', control.KRaftVersionRecord],
  6: ['KRaftVoters', control.VotersRecord],
}

/** Control records of every type. */
export const printControlRecord: ControlPrinter = (type, value) => {
  const known = controlMessages[type]
  if (known === undefined || value === null) return printTransactionMarker(type, value)
  const [label, message] = known
  // The version is the first field of these messages, and what they are encoded in.
  const version = new Reader(value).int16()
  return `${label} ${JSON.stringify(toJson(message, version, decode(message, version, new Reader(value))))}`
}

const metadataTypes = new Map(Object.values(metadataRecords).map(record => [record.type, record.message]))

/** Records of `__cluster_metadata`. */
export const printClusterMetadata: RecordPrinter = (_key, value, offset) => ({
  key: null,
  payload: orError(`Error at ${offset}`, () => {
    const { type, version, reader } = decodeMetadataFrame(value ?? Buffer.alloc(0))
    const message = metadataTypes.get(type)
    if (message === undefined) throw new DecodeError(`unknown record type ${type}`)
    const data = toJson(message, version, decode(message, version, reader))
    return JSON.stringify({ type: constantName(message.name), version, data })
  }),
})

const coordinatorRecords = {
  group: groupCoordinatorRecords,
  transaction: transactionCoordinatorRecords,
  share: shareCoordinatorRecords,
}

/** Records of `__consumer_offsets` (group), `__transaction_state` (transaction) and `__share_group_state` (share). */
export function printCoordinatorRecord(kind: 'group' | 'transaction' | 'share'): RecordPrinter {
  const records = coordinatorRecords[kind]
  const types = new Map(records.map(record => [record.type, record]))
  return (key, value, offset) => {
    if (key === null) return { key: '<NULL>', payload: null }
    const type = key.byteLength < 2 ? -1 : key.readInt16BE(0)
    const record = types.get(type)
    if (record === undefined) {
      return { key: `Unknown record type ${type} at offset ${offset}, skipping.`, payload: null }
    }
    try {
      const data = toJson(record.key, 0, decode(record.key, 0, new Reader(key.subarray(2))))
      return {
        key: JSON.stringify({ type: String(type), data }),
        payload: value === null ? '<DELETE>' : printValue(record.value, value),
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      return { key: `Error at offset ${offset}, skipping. ${error.message}`, payload: null }
    }
  }
}

function printValue(message: Message<Shape>, value: Buffer): string {
  const reader = new Reader(value)
  const version = reader.int16()
  const data = toJson(message, version, decode(message, version, reader))
  if (message.name === 'GroupMetadataValue') openConsumerProtocol(data)
  return JSON.stringify({ version: String(version), data })
}

/** The bytes that consumers put into a classic group are messages, too. */
function openConsumerProtocol(group: Json): void {
  if (!isObject(group) || group['protocolType'] !== 'consumer' || !Array.isArray(group['members'])) return
  for (const member of group['members']) {
    if (!isObject(member)) continue
    open(member, 'subscription', ConsumerProtocolSubscription)
    open(member, 'assignment', ConsumerProtocolAssignment)
  }
}

function open(member: { [name: string]: Json }, field: string, message: Message<Shape>): void {
  const text = member[field]
  if (typeof text !== 'string') return
  try {
    const { version, value } = decodeForward(message, Buffer.from(text, 'base64'))
    member[field] = toJson(message, Math.min(version, message.versions[1]), value)
  } catch (error) {
    // Some clients write bytes of their own: these stay base64.
    if (!(error instanceof DecodeError)) throw error
  }
}

function isObject(json: Json | undefined): json is { [name: string]: Json } {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

/** BeginTransactionRecord -> BEGIN_TRANSACTION_RECORD */
function constantName(name: string): string {
  return name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()
}

/** A record that does not decode is printed as that, and the next one follows. */
function orError(label: string, print: () => string): string {
  try {
    return print()
  } catch (error) {
    if (error instanceof DecodeError) return `${label}, skipping. ${error.message}`
    throw error
  }
}
