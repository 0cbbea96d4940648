// Java's .properties format.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseProperties } from '../../../src/config/properties.ts'

const pairs = (text: string) => parseProperties(text).map(({ key, value }) => [key, value])

test.each([
  [
    'a=1\nb : 2\nc 3\n  d\t=\t4 ',
    [
      ['a', '1'],
      ['b', '2'],
      ['c', '3'],
      ['d', '4 '],
    ],
  ],
  ['# no\n! no\n\n  # no\nx=# yes', [['x', '# yes']]],
  [
    'a=1,\\\n   2,\\\r\n   3\nb=4',
    [
      ['a', '1,2,3'],
      ['b', '4'],
    ],
  ],
  [
    'a=1\\\\\nb=2',
    [
      ['a', '1\\'],
      ['b', '2'],
    ],
  ],
  ['a\\=b\\:c\\ d=e', [['a=b:c d', 'e']]],
  ['a=\\u00e4\\t\\n\\z', [['a', 'ä\t\nz']]],
  ['a', [['a', '']]],
  ['a==b', [['a', '=b']]],
  [
    '\uFEFFa=1\rb=2',
    [
      ['a', '1'],
      ['b', '2'],
    ],
  ],
  ['a=1\\', [['a', '1']]],
])('%j', (text, expected) => expect(pairs(text)).toEqual(expected))

test('lines are counted where an entry starts', () => {
  expect(parseProperties('\na=1\\\n2\nb=3').map(({ line }) => line)).toEqual([2, 4])
})

test('a broken \\u names its line', () => {
  expect(() => parseProperties('\na=\\u12')).toThrow('line 2: \\u must be followed by four hexadecimal digits.')
})

test('what is written with escapes is read back', () => {
  const escape = (text: string) =>
    text
      .split('')
      .map(unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join('')
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (key, value) => {
      expect(pairs(`${escape(key)}=${escape(value)}\n`)).toEqual([[key, value]])
    }),
    { numRuns: 200 },
  )
})
