// The partitions of a transaction, as markers take them out of it.
import { expect, test } from 'vitest'
import {
  listed,
  NO_PARTITIONS,
  withoutPartitions,
  withPartitions,
} from '../../../../src/coordinators/transaction/state.ts'

test('partitions leave a transaction in one pass over those that are gone', () => {
  const all = Array.from({ length: 2000 }, (_, n) => ({ topic: `t${n % 3}`, partition: n }))
  const partitions = withPartitions(NO_PARTITIONS, all)
  let looks = 0
  const gone = all.slice(0, 1999).map(({ topic, partition }) => ({
    topic,
    get partition() {
      looks++
      return partition
    },
  }))
  expect(listed(withoutPartitions(partitions, gone))).toEqual([all[1999]])
  expect(looks).toBeLessThan(4 * all.length)
  expect(withoutPartitions(partitions, all)).toEqual(NO_PARTITIONS)
  expect(withoutPartitions(partitions, [{ topic: 'other', partition: 0 }])).toEqual(partitions)
})
