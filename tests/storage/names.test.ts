// Names of files and folders, both ways.
import { describe, expect, test } from 'vitest'
import * as names from '../../storage/names.ts'

test('files of a segment', () => {
  expect(names.logFile(1100)).toBe('00000000000000001100.log')
  expect(names.offsetIndexFile(0, names.DELETED_SUFFIX)).toBe('00000000000000000000.index.deleted')
  expect(names.timeIndexFile(1)).toBe('00000000000000000001.timeindex')
  expect(names.txnIndexFile(1, names.SWAP_SUFFIX)).toBe('00000000000000000001.txnindex.swap')
  expect(names.producerSnapshotFile(Number.MAX_SAFE_INTEGER)).toBe('00009007199254740991.snapshot')
})

test('the offset in a name', () => {
  expect(names.offsetOfFile('00000000000000001100.timeindex')).toBe(1100)
  expect(names.offsetOfFile('1100.log')).toBeNull()
  expect(names.offsetOfFile('leader-epoch-checkpoint')).toBeNull()
  expect(names.offsetOfFile('09223372036854775807.log')).toBeNull()
})

describe('folders', () => {
  test.each([
    ['plain-0', { topic: 'plain', partition: 0, kind: 'log' }],
    ['a-b-12', { topic: 'a-b', partition: 12, kind: 'log' }],
    ['a.b-1.0123456789abcdef0123456789abcdef-delete', { topic: 'a.b', partition: 1, kind: 'delete' }],
    ['a-1.x-future', { topic: 'a', partition: 1, kind: 'future' }],
    ['a-1.x-stray', { topic: 'a', partition: 1, kind: 'stray' }],
    ['a-delete-3', { topic: 'a-delete', partition: 3, kind: 'log' }],
    ['__cluster_metadata-0', { topic: '__cluster_metadata', partition: 0, kind: 'log' }],
  ])('%s', (name, parsed) => expect(names.parseFolder(name)).toEqual(parsed))

  test.each([
    'plain',
    'plain-',
    '-0',
    'plain-00',
    'plain-x',
    'plain-2147483648',
    'a b-0',
    '..-0',
    'a-delete',
    'lost+found',
  ])('%s is none', name => expect(names.parseFolder(name)).toBeNull())

  test('a marked folder fits the file system and can be read back', () => {
    const name = names.markedFolder('t'.repeat(249), 2147483647, '0'.repeat(32), 'delete')
    expect(name.length).toBe(255)
    expect(names.parseFolder(name)).toMatchObject({ partition: 2147483647, kind: 'delete' })
    expect(names.markedFolder('t', 3, 'f'.repeat(32), 'stray')).toBe(`t-3.${'f'.repeat(32)}-stray`)
  })
})

test.each([
  ['a', true],
  ['A.b_c-9', true],
  ['t'.repeat(249), true],
  ['', false],
  ['.', false],
  ['..', false],
  ['...', true],
  ['a/b', false],
  ['ü', false],
  ['t'.repeat(250), false],
])('topic name %j: %s', (name, allowed) => expect(names.isTopicName(name)).toBe(allowed))
