// __transaction_state as Apache Kafka wrote it: read back into the machine, compared with what Kafka's own tool printed,
// and written again byte for byte.
import { describe, expect, it } from 'vitest'
import * as batch from '../../../../protocol/records/batch.ts'
import { decodeRecords } from '../../../../protocol/records/record.ts'
import type { StoredRecord } from '../../../../src/coordinators/machine.ts'
import { TransactionMachine } from '../../../../src/coordinators/transaction/machine.ts'
import { STATES } from '../../../../src/coordinators/transaction/state.ts'
import { silentLogger } from '../../../../src/runtime/index.ts'
import { printed, unpack } from '../../../storage/kafka-dirs.ts'
import { defaultConfig } from './transcript.ts'

/** What each cluster had finalized: the version of the values follows from it. */
const dirs = [
  ['kafka-3.9.1-clean', 0],
  ['kafka-4.3.1-clean', 2],
] as const

const stored = (log: Buffer): StoredRecord[] =>
  [...batch.batchesOf(log)].flatMap(at =>
    decodeRecords(log, at).map(({ offset, key, value }) => ({
      offset,
      key,
      value,
      producerId: -1,
      isTransactional: false,
      marker: null,
    })),
  )

interface Value {
  state: string | undefined
  producerId: number
  producerEpoch: number
  timeoutMs: number
  lastUpdateMs: number
}

/** Kafka 4 prints JSON. */
function fromJson(text: string): Value {
  const { data } = JSON.parse(text) as { data: Record<string, number> }
  return {
    state: STATES[data['transactionStatus']!],
    producerId: data['producerId']!,
    producerEpoch: data['producerEpoch']!,
    timeoutMs: data['transactionTimeoutMs']!,
    lastUpdateMs: data['transactionLastUpdateTimestampMs']!,
  }
}

/** Kafka 3 a text of its own. */
function fromText(text: string): Value {
  const field = (name: string) => new RegExp(`${name}[:=]([^,]+)`).exec(text)![1]!
  return {
    state: field('state'),
    producerId: Number(field('producerId')),
    producerEpoch: Number(field('producerEpoch')),
    timeoutMs: Number(field('txnTimeoutMs')),
    lastUpdateMs: Number(field('txnLastUpdateTimestamp')),
  }
}

/** The last value of each id, by the tool's lines alone. */
function expected(lines: readonly string[]): Map<string, Value> {
  const ids = new Map<string, Value>()
  for (const line of lines) {
    const [, key, payload] = /key: (\S+) payload: (.*)$/.exec(line) ?? []
    if (key === undefined || payload === undefined) continue
    const transactionalId = /transactionalId["=:]+([^"}]+)/.exec(key)![1]!
    if (payload.startsWith('{')) ids.set(transactionalId, fromJson(payload))
    else if (payload.startsWith('producerId')) ids.set(transactionalId, fromText(payload))
    else ids.delete(transactionalId)
  }
  return ids
}

describe.each(dirs)('%s', (dir, version) => {
  const files = unpack(dir)
  const tool = printed(dir, 'transactions')
  const partitions = files.list('').filter(name => name.startsWith('__transaction_state-'))
  const machine = (): TransactionMachine =>
    new TransactionMachine({ config: defaultConfig, log: silentLogger, version: () => version })

  it('has transactions', () => {
    const all = partitions.flatMap(name => [...expected(tool.get(`${name}/00000000000000000000.log`) ?? []).keys()])
    expect(all.length).toBeGreaterThan(0)
  })

  it.each(partitions)('%s says what Kafka says it says, and is written again byte for byte', partition => {
    const path = `${partition}/00000000000000000000.log`
    const found = machine()
    for (const record of stored(files.readAll(path))) {
      const decoded = found.decode(record)!
      expect(found.encode(decoded)).toEqual({ key: record.key, value: record.value })
      found.replay(decoded)
    }
    const values = expected(tool.get(path) ?? [])
    expect([...found.transactions.keys()].toSorted()).toEqual([...values.keys()].toSorted())
    for (const [transactionalId, value] of values) {
      expect(found.transactions.get(transactionalId)).toMatchObject(value)
    }
  })
})
