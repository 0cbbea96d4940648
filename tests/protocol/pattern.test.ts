// Patterns that clients send: the same answers as a backtracking engine, in bounded time, and a refusal for the rest.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compilePattern, PatternError } from '../../protocol/pattern.ts'

const matches = (pattern: string, text: string) => compilePattern(pattern)(text)

describe('patterns', () => {
  test.each([
    ['my-.*', 'my-app', true],
    ['my-.*', 'not-my-app', false],
    ['', '', true],
    ['', 'a', false],
    ['a|bc', 'bc', true],
    ['(?:ab)+c?', 'ababc', true],
    ['[a-c_]{2,3}', 'a_c', true],
    ['[a-c_]{2,3}', 'a_cb', false],
    ['[^0-9]+', 'abc', true],
    ['[]a]+', ']a', true],
    ['[a-]+', 'a-', true],
    ['\\d+\\.\\w*', '12.ab', true],
    ['^app$', 'app', true],
    ['a$b', 'a', false],
    ['.*?x', 'aax', true],
    ['.', '\n', false],
    ['\\S{3}', 'a b', false],
    ['é.', 'é😀', true],
  ])('%j on %j: %s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected)
  })

  test.each([
    '(',
    ')',
    '[a',
    'a{2',
    'a{3,2}',
    '*a',
    '(?=a)',
    '(?<n>a)',
    '(?i)a',
    '\\1',
    '\\p{L}',
    'a++',
    '[[a]]',
    'a\\',
  ])('%j is refused', pattern => {
    expect(() => compilePattern(pattern)).toThrow(PatternError)
  })

  test('what is too large is refused', () => {
    expect(() => compilePattern('((a{100}){100}){100}')).toThrow(PatternError)
    expect(() => compilePattern('('.repeat(1000))).toThrow(PatternError)
  })

  test('takes time that grows with pattern times text, whatever the pattern is', () => {
    expect(matches('(a+)+b', 'a'.repeat(5000))).toBe(false)
    expect(matches('(a|a)*b', 'a'.repeat(5000))).toBe(false)
    expect(matches('(a*)*', 'a'.repeat(5000))).toBe(true)
  })

  test('agrees with RegExp', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', 'c')
    const { node } = fc.letrec<{ node: string }>(tie => ({
      node: fc.oneof(
        { depthSize: 'small' },
        atom,
        fc.tuple(tie('node'), tie('node')).map(([x, y]) => x + y),
        fc.tuple(tie('node'), tie('node')).map(([x, y]) => `(${x}|${y})`),
        fc.tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{0,}')).map(([x, q]) => `(${x})${q}`),
      ),
    }))
    fc.assert(
      fc.property(node, fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 }), (pattern, text) => {
        expect(matches(pattern, text.join(''))).toBe(new RegExp(`^(?:${pattern})$`).test(text.join('')))
      }),
      { numRuns: 300 },
    )
  })
})
