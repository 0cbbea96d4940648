// The table of the benchmark: medians, ratios, empty columns, numbers that people can read.
import { expect, test } from 'vitest'
import type { Side } from '../../bench/brokers.ts'
import { clients, number, spread, table, type Result } from '../../bench/report.ts'
import { rate, timeMs, type Row, type Sample } from '../../bench/row.ts'

const side = (id: Side['id'], title: string): Side => ({
  id,
  title,
  start: () => Promise.reject(new Error('not here')),
})
const sides = [side('ours', 'Ours'), side('defaults', 'Defaults'), side('kafka', 'Kafka')]

const row: Row = {
  name: 'a row',
  promise: 'acks=1',
  client: 'a client',
  measures: [rate, timeMs],
  defaultsDiffer: false,
  warmUps: 0,
  run: () => Promise.reject(new Error('not here')),
}

const sample = (perSecond: number, ms?: number): Sample => ({
  values: { rate: perSecond, ...(ms !== undefined && { timeMs: ms }) },
  client: { cores: 0.5, perCore: perSecond * 2 },
})

test('a spread is the median between the extremes', () => {
  expect(spread([])).toBeNull()
  expect(spread([3])).toEqual({ median: 3, min: 3, max: 3 })
  expect(spread([9, 1, 4])).toEqual({ median: 4, min: 1, max: 9 })
  expect(spread([1, 2, 4, 10])).toEqual({ median: 3, min: 1, max: 10 })
})

test.each([
  [0, '0'],
  [0.0321, '0.032'],
  [1.234, '1.23'],
  [12.34, '12.3'],
  [123.4, '123'],
  [9994, '9994'],
  [10_040, '10 k'],
  [374_400, '374 k'],
  [999_600, '1.00 M'],
  [1_764_000, '1.76 M'],
])('%d is shown as %s', (value, text) => expect(number(value)).toBe(text))

test('the table gives each side its column and the ratio of the medians', () => {
  const ours = [sample(300, 2), sample(100, 4), sample(200, 3)]
  const result: Result = {
    row,
    samples: new Map([
      ['ours', ours],
      ['kafka', [sample(100, 6)]],
    ]),
  }
  expect(table([result], sides)).toEqual([
    '| row | measure | Ours | Kafka | ours / Kafka |',
    '| --- | --- | --- | --- | --- |',
    '| a row | msg/s | 200 (100 to 300) | 100 (100 to 100) | 2.00x |',
    '|  | ms (less is better) | 3.00 (2.00 to 4.00) | 6.00 (6.00 to 6.00) | 0.50x |',
  ])
})

test('a side that did not measure something has an empty cell and no ratio', () => {
  const result: Result = {
    row,
    samples: new Map([
      ['ours', [sample(200, 3)]],
      ['defaults', [sample(50)]],
      ['kafka', [sample(100)]],
    ]),
  }
  expect(table([result], sides).slice(2)).toEqual([
    '| a row | msg/s | 200 (200 to 200) | 50.0 (50.0 to 50.0) | 100 (100 to 100) | 2.00x | 0.50x |',
    '|  | ms (less is better) | 3.00 (3.00 to 3.00) |  |  |  |  |',
  ])
})

test('clients are told with how busy they were on each side', () => {
  const result: Result = {
    row,
    samples: new Map([
      ['ours', [sample(200)]],
      ['kafka', [sample(100)]],
    ]),
  }
  expect(clients([result], sides).at(-1)).toBe(
    '| a row | acks=1 | a client | 0.50 / 0.50 | 400/s per processor / 200/s per processor |  |',
  )
})
