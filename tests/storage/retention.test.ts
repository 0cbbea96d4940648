// Which segments retention gives up.
import { expect, test } from 'vitest'
import { planRetention } from '../../storage/retention.ts'
import type { RetentionOptions } from '../../storage/retention.ts'
import type { LogConfig } from '../../storage/log-config.ts'
import { config, NOW } from './log-fixtures.ts'

/** Five segments of ten offsets and 100 bytes, an hour apart; the last is active. */
const HOUR = 3600_000
const segments = [0, 1, 2, 3, 4].map(n => ({ baseOffset: n * 10, size: 100, largestTimestamp: NOW - (4 - n) * HOUR }))

const plan = (changes: Partial<LogConfig>, o: Partial<RetentionOptions> = {}, of = segments) => {
  const options = { config: config(changes), now: NOW, logStartOffset: 0, logEndOffset: 50, readableEnd: 50, ...o }
  const { count, reason } = planRetention(of, options)
  return reason === null ? 'none' : `${count} by ${reason}`
}

test('by bytes: as many as leave at least retention.bytes', () => {
  expect(plan({ retentionBytes: 500 })).toBe('none')
  expect(plan({ retentionBytes: 401 })).toBe('none')
  expect(plan({ retentionBytes: 400 })).toBe('1 by retention.bytes')
  expect(plan({ retentionBytes: 250 })).toBe('2 by retention.bytes')
  expect(plan({ retentionBytes: 0 })).toBe('5 by retention.bytes')
  expect(plan({ retentionBytes: -1 })).toBe('none')
})

test('by time: those whose largest timestamp is older than retention.ms', () => {
  expect(plan({ retentionMs: 4 * HOUR })).toBe('none')
  expect(plan({ retentionMs: 4 * HOUR - 1 })).toBe('1 by retention.ms')
  expect(plan({ retentionMs: 90 * 60_000 })).toBe('3 by retention.ms')
  expect(plan({ retentionMs: 0 }, { now: NOW + 1 })).toBe('5 by retention.ms')
  expect(plan({ retentionMs: -1 }, { now: NOW + 1e12 })).toBe('none')
  // A segment with a record of the future keeps those behind it.
  const future = segments.map((segment, n) => (n === 1 ? { ...segment, largestTimestamp: NOW + HOUR } : segment))
  expect(plan({ retentionMs: 1 }, {}, future)).toBe('1 by retention.ms')
})

test('below the start of the log, whatever the policy; never the active one', () => {
  const compact = { cleanupPolicy: { compact: true, delete: false }, retentionMs: 0, retentionBytes: 0 }
  expect(plan(compact, { now: NOW + HOUR })).toBe('none')
  expect(plan(compact, { logStartOffset: 20 })).toBe('2 by logStartOffset')
  expect(plan(compact, { logStartOffset: 29 })).toBe('2 by logStartOffset')
  expect(plan(compact, { logStartOffset: 50 })).toBe('4 by logStartOffset')
  expect(plan({ retentionBytes: 200 }, { logStartOffset: 10 })).toBe('3 by retention.bytes')
})

test('nothing at or beyond the high watermark, and no empty active segment', () => {
  expect(plan({ retentionBytes: 0 }, { readableEnd: 29 })).toBe('2 by retention.bytes')
  expect(plan({ retentionBytes: 0 }, { readableEnd: 30 })).toBe('3 by retention.bytes')
  const empty = segments.map((segment, n) => (n === 4 ? { ...segment, size: 0 } : segment))
  expect(plan({ retentionBytes: 0 }, {}, empty)).toBe('4 by retention.bytes')
})
