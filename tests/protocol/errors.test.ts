// The table of error codes.
import { expect, test } from 'vitest'
import * as errors from '../../protocol/errors.ts'

test('codes are -1 to 136 without a gap, names are unique and exported', () => {
  const entries = errors.errorEntries().toSorted((a, b) => a.code - b.code)
  expect(entries.map(({ code }) => code)).toEqual(Array.from({ length: 138 }, (_, i) => i - 1))
  const exported = errors as unknown as { [name: string]: unknown }
  for (const { code, name, message } of entries) {
    expect(exported[name]).toBe(code)
    expect(errors.errorByName(name)).toBe(errors.errorOf(code))
    expect(message).toMatch(/\.$/)
  }
})

test('what may be tried again', () => {
  const retriable = errors.errorEntries().filter(entry => entry.retriable)
  expect(retriable.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([
    2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 83, 84, 88, 89, 100, 103, 106,
    122, 123, 133,
  ])
})

test('an unknown code is described, not a crash; KafkaError carries code and text', () => {
  expect(errors.errorOf(999)).toMatchObject({ code: 999, retriable: false })
  expect(new errors.KafkaError(errors.INVALID_REQUEST)).toMatchObject({ code: 42, message: errors.errorOf(42).message })
  expect(new errors.KafkaError(errors.INVALID_CONFIG, 'no such key').message).toBe('no such key')
})
