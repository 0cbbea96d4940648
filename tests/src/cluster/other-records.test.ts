// What the log is told of records that are kept for Apache Kafka and not acted on.
import { expect, test } from 'vitest'
import { unenforcedWarning } from '../../../src/cluster/other-records.ts'
import { metadataRecords as all } from '../../../protocol/state/metadata-records.ts'

const record = (key: number) => ({ type: 'other' as const, key, version: 0, body: Buffer.alloc(0) })

test('access control entries and quotas that do not apply are named once, others not', () => {
  expect(unenforcedWarning([])).toBeNull()
  expect(unenforcedWarning([record(all.RegisterControllerRecord.type), record(999)])).toBeNull()
  const { type } = all.AccessControlEntryRecord
  expect(unenforcedWarning([record(type), record(all.ClientQuotaRecord.type), record(type)])).toBe(
    'The metadata hold access control entries, client quotas: they are kept and NOT enforced.',
  )
})
