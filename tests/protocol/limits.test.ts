// What the limit of elements is worth: the dearest message of so many elements, of every API in its telling versions,
// stays small. The server passes odradek.request.max.elements, 250 000 by default.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { decode } from '../../protocol/compile.ts'
import { apis } from '../../protocol/messages/index.ts'
import { DecodeError, Reader } from '../../protocol/reader.ts'
import { brokerKeys } from '../../src/config/index.ts'
import { smallest } from '../fuzz/smallest.ts'

const MAX_ELEMENTS = brokerKeys['odradek.request.max.elements'].default
/** Garbage made on the way included; most take less than 200. */
const BYTES_PER_ELEMENT = 700
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const versionsOf = ({ versions: [first, last], flexible }: (typeof apis)[number]): number[] =>
  [...new Set([first, Math.max(first, flexible - 1), flexible, last])].filter(v => v >= first && v <= last)

const used = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Every API in its telling versions, each with the first, second, … of its arrays filled. */
function* dearest(elements: number) {
  for (const api of apis) {
    for (const version of versionsOf(api)) {
      for (let nth = 0; ; nth++) {
        const bytes = smallest(api, version, nth, elements)
        if (bytes === null) break
        yield { api, version, name: `${api.name} ${version}, array ${nth}`, bytes }
      }
    }
  }
}

test('an element of any request takes a few hundred bytes', () => {
  const elements = 1500
  const dear: string[] = []
  let messages = 0
  for (const { api, version, name, bytes } of dearest(elements)) {
    // Once unmeasured: what is compiled stays.
    decode(api.request, version, new Reader(bytes))
    if (messages++ % 100 === 0) collect()
    const before = used()
    const { topics } = decode(api.request, version, new Reader(bytes)) as { topics?: unknown }
    const each = (used() - before) / elements
    if (each > BYTES_PER_ELEMENT) dear.push(`${name}: ${each} bytes (${typeof topics})`)
  }
  expect(dear).toEqual([])
  expect(messages).toBeGreaterThan(300)
  expect(MAX_ELEMENTS * BYTES_PER_ELEMENT).toBeLessThanOrEqual(175_000_000)
}, 30_000)

test('more elements than allowed are refused before they are made', () => {
  const limits = { maxElements: 2000 }
  collect()
  for (const { api, version, name, bytes } of dearest(limits.maxElements + 1)) {
    const before = used()
    const reader = new Reader(bytes, 0, undefined, limits)
    expect(() => decode(api.request, version, reader)).toThrow(DecodeError)
    expect(`${name}: ${used() - before < 500_000}`).toBe(`${name}: true`)
  }
}, 30_000)
