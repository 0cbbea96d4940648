// __consumer_offsets as Apache Kafka wrote it: read back into the machine, compared with what Kafka's own tool printed,
// and written again byte for byte.
import { describe, expect, it } from 'vitest'
import * as batch from '../../../../protocol/records/batch.ts'
import { COMMIT, decodeControlKey } from '../../../../protocol/records/control.ts'
import { decodeRecords } from '../../../../protocol/records/record.ts'
import type { StoredRecord } from '../../../../src/coordinators/machine.ts'
import { GroupMachine } from '../../../../src/coordinators/group/machine.ts'
import { silentLogger } from '../../../../src/runtime/index.ts'
import { printed, unpack } from '../../../storage/kafka-dirs.ts'
import { defaultConfig } from './world.ts'

const dirs = ['kafka-3.9.1-clean', 'kafka-4.3.1-clean'] as const

function stored(log: Buffer): StoredRecord[] {
  return [...batch.batchesOf(log)].flatMap(at => {
    const control = batch.isControl(log, at)
    return decodeRecords(log, at).map(({ offset, key, value }) => ({
      offset,
      key: control ? null : key,
      value: control ? null : value,
      producerId: batch.producerId(log, at),
      isTransactional: batch.isTransactional(log, at),
      marker: control ? (decodeControlKey(key).type === COMMIT ? ('commit' as const) : ('abort' as const)) : null,
    }))
  })
}

interface Printed {
  groups: Map<string, { generation: number; members: { memberId: string }[] }>
  offsets: Map<string, number>
}

/** The same state worked out from the tool's lines alone. */
function expected(lines: string[]): Printed {
  const groups: Printed['groups'] = new Map()
  const offsets: Printed['offsets'] = new Map()
  let pending: [string, number][] = []
  let transactional = false
  for (const line of lines) {
    const isTransactional = /isTransactional: (\w+)/.exec(line)?.[1]
    if (isTransactional) transactional = isTransactional === 'true'
    const marker = /endTxnMarker: (\w+)/.exec(line)?.[1]
    if (marker === 'COMMIT') for (const entry of pending) offsets.set(...entry)
    if (marker) pending = []
    const [, keyText, payload] = /key: (\{.*\}) payload: (.*)$/.exec(line) ?? []
    if (!keyText || !payload) continue
    const { type, data: key } = JSON.parse(keyText)
    const value = payload === 'null' || payload === '<DELETE>' ? null : JSON.parse(payload).data
    if (type === '2' && value) groups.set(key.group, { generation: value.generation, members: value.members })
    if (type === '2' && !value) groups.delete(key.group)
    if (type !== '1') continue
    const name = `${key.group} ${key.topic}-${key.partition}`
    if (!value) offsets.delete(name)
    else if (transactional) pending.push([name, value.offset])
    else offsets.set(name, value.offset)
  }
  return { groups, offsets }
}

describe.each(dirs)('%s', dir => {
  const files = unpack(dir)
  const tool = printed(dir, 'offsets')
  const partitions = files.list('').filter(name => name.startsWith('__consumer_offsets-'))

  it.each(partitions)('%s says what Kafka says it says', partition => {
    const path = `${partition}/00000000000000000000.log`
    const machine = new GroupMachine(defaultConfig, silentLogger)
    const log = stored(files.readAll(path))
    for (const record of log) {
      const decoded = machine.decode(record)
      expect(decoded).not.toBeNull()
      if (decoded) machine.replay(decoded, record.offset)
    }
    const { groups, offsets } = expected(tool.get(path) ?? [])
    const found = new Map<string, number | undefined>()
    for (const [group, topic, index] of machine.offsets.all()) {
      found.set(`${group} ${topic}-${index}`, machine.offsets.get(group, topic, index)?.offset)
    }
    expect(found).toEqual(offsets)
    for (const [groupId, { generation, members }] of groups) {
      const group = machine.groups.get(groupId)
      expect(group).toMatchObject({ generationId: generation, state: members.length > 0 ? 'Stable' : 'Empty' })
      expect([...(group?.members.keys() ?? [])]).toEqual(members.map(({ memberId }) => memberId))
    }
  })

  it.each(partitions)('%s is written again byte for byte', partition => {
    const machine = new GroupMachine(defaultConfig, silentLogger)
    const log = stored(files.readAll(`${partition}/00000000000000000000.log`)).filter(({ marker }) => marker === null)
    // Offsets are version 3 in Kafka 3.9: topic ids came with 4.2.
    const same = log.filter(({ key }) => dir === 'kafka-4.3.1-clean' || key?.readInt16BE(0) === 2)
    for (const record of same) {
      const decoded = machine.decode(record)
      expect(decoded && machine.encode(decoded)).toEqual({ key: record.key, value: record.value })
    }
    const lines = tool.get(`${partition}/00000000000000000000.log`) ?? []
    const kinds = dir === 'kafka-4.3.1-clean' ? /key: \{"type":"[12]"/ : /key: \{"type":"2"/
    expect(same).toHaveLength(lines.filter(line => kinds.test(line)).length)
  })
})
