// Requests made of the smallest elements there are: one array of a message holds as many as fit, everything else is empty.
import type { Api } from '../../protocol/api.ts'
import type { Spec } from '../../protocol/schema.ts'
import { fieldsIn, isNullable } from '../../protocol/layout.ts'
import { Writer, requestHeaderVersion } from '../../protocol/index.ts'

interface Version {
  readonly version: number
  readonly flexible: boolean
}

const ZEROS: { readonly [kind: string]: number } = {
  bool: 1,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint16: 2,
  uint32: 4,
  float64: 8,
  uuid: 16,
}

function count(length: number, { flexible }: Version): Buffer {
  const writer = new Writer()
  if (flexible) writer.uvarint(length + 1)
  else writer.int32(length)
  return writer.toBuffer()
}

function smallest(spec: Spec, v: Version): Buffer {
  const size = ZEROS[spec.kind]
  if (size !== undefined) return Buffer.alloc(size)
  if (spec.kind === 'struct') {
    return isNullable(spec, v.version) ? Buffer.from([0xff]) : structure(spec, v, -1, Buffer.alloc(0))
  }
  if (v.flexible) return Buffer.from([1])
  return Buffer.alloc(spec.kind === 'string' ? 2 : 4)
}

/** A struct of the smallest fields, in which `at` (an index of plain fields) is replaced. */
function structure(spec: Spec, v: Version, at: number, replacement: Buffer): Buffer {
  const { plain } = fieldsIn(spec, v.version)
  const parts = plain.map(([, field], i) => (i === at ? replacement : smallest(field.spec, v)))
  return Buffer.concat([...parts, Buffer.alloc(v.flexible ? 1 : 0)])
}

/** Bodies in which one array after the other, at any depth, is the flood. */
function* floods(spec: Spec, v: Version, room: number, most: number): Generator<Buffer> {
  const { plain } = fieldsIn(spec, v.version)
  for (const [i, [, field]] of plain.entries()) {
    if (field.spec.kind !== 'array') continue
    const of = field.spec.of!.spec
    const element = smallest(of, v)
    const length = Math.min(most, Math.floor(room / element.length))
    const elements = Buffer.alloc(length * element.length, element)
    yield structure(spec, v, i, Buffer.concat([count(length, v), elements]))
    if (of.kind !== 'struct') continue
    for (const inner of floods(of, v, room, most)) yield structure(spec, v, i, Buffer.concat([count(1, v), inner]))
  }
}

function frameOf(api: Api, version: number, body: Buffer): Buffer {
  const head = Buffer.alloc(14 + requestHeaderVersion(api, version) - 1)
  head.writeInt32BE(head.length - 4 + body.length)
  head.writeInt16BE(api.key, 4)
  head.writeInt16BE(version, 6)
  head.writeInt32BE(1, 8)
  head.writeInt16BE(-1, 12)
  return Buffer.concat([head, body])
}

/** Frames of at most `bytes`, with at most `elements` elements in the array that is the flood; one for each array. */
export function* tinyFrames(api: Api, version: number, bytes: number, elements = Infinity): Generator<Buffer> {
  const v = { version, flexible: version >= api.flexible }
  const root: Spec = { ...blank, fields: api.request.shape }
  const room = bytes - 1024
  for (const body of floods(root, v, room, elements)) yield frameOf(api, version, body)
  // Tagged fields that nobody knows are elements, too.
  if (v.flexible) {
    const body = structure(root, v, -1, Buffer.alloc(0)).subarray(0, -1)
    const tags = Math.min(elements, Math.floor(room / 5))
    yield frameOf(api, version, Buffer.concat([body, unknownTags(tags)]))
  }
}

/** `length` empty tagged fields in rising order, of at most five bytes each. */
function unknownTags(length: number): Buffer {
  const target = Buffer.alloc(5 + length * 5)
  let at = 0
  const uvarint = (value: number): void => {
    for (let rest = value; ; rest >>>= 7) {
      target[at++] = rest >= 0x80 ? (rest & 0x7f) | 0x80 : rest
      if (rest < 0x80) return
    }
  }
  uvarint(length)
  for (let tag = 1000; tag < 1000 + length; tag++) {
    uvarint(tag)
    target[at++] = 0
  }
  return target.subarray(0, at)
}

const blank: Spec = {
  kind: 'struct',
  since: 0,
  until: Infinity,
  nullSince: Infinity,
  tag: null,
  ignorable: false,
  plain: false,
  fallback: undefined,
  of: null,
  fields: null,
}
