// Bytes of a message, written by walking its definition, so that what is wrong in them is wrong in a place that matters:
// a length, a count, a null, a tag. `harm` is how often such a place lies; 0 gives valid messages.
import type { Message } from '../../protocol/api.ts'
import { fieldsIn, isCompact, isNullable, type Target } from '../../protocol/layout.ts'
import { struct, type AnyField, type Shape, type Spec } from '../../protocol/schema.ts'
import type { Random } from './random.ts'

export interface Style {
  readonly random: Random
  readonly harm: number
  /** Most elements of one array, a few by default. */
  readonly elements: number
  /** Strings to choose from, so that some of them name what exists. */
  readonly words: readonly string[]
  /** What stands in fields of record bytes. */
  records(): Buffer
}

const LENGTHS = [-1, -2, 0x7f, 0x7fff, 0x8000, 0x7fffffff, -0x80000000, 0xffff, 1 << 20]
const INTEGERS = [0, 1, 2, -1, 3, 10, 127, -128]
const LARGE = [32767, -32768, 65535, 2 ** 31 - 1, -(2 ** 31), 2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 63, -(2 ** 63)]

export function messageBytes(message: Message<Shape>, version: number, style: Style): Buffer {
  const target = { version, flexible: version >= message.flexible, exact: false }
  const walk = new Walk(target, style)
  walk.struct(struct(message.shape).spec, 0)
  return walk.take()
}

class Walk {
  readonly #target: Target
  readonly #style: Style
  #parts: Buffer[] = []

  constructor(target: Target, style: Style) {
    this.#target = target
    this.#style = style
  }

  take(): Buffer {
    return Buffer.concat(this.#parts)
  }

  struct(spec: Spec, depth: number): void {
    const { plain, tagged } = fieldsIn(spec, this.#target.version)
    for (const [, field] of plain) this.#field(field, depth)
    if (this.#target.flexible) this.#tags(tagged, depth)
  }

  #field(field: AnyField, depth: number): void {
    const { spec } = field
    const { random } = this.#style
    const compact = isCompact(spec, this.#target)
    const isNull = random.chance(0.15) && (isNullable(spec, this.#target.version) || random.chance(this.#style.harm))
    switch (spec.kind) {
      case 'struct':
        if (isNullable(spec, this.#target.version)) this.#integer(isNull ? -1 : 1, 1)
        if (!isNull) this.struct(spec, depth)
        return
      case 'array': {
        const count = isNull ? -1 : this.#count(depth)
        this.#length(count, compact, 4)
        for (let i = 0; i < count; i++) this.#field(spec.of!, depth + 1)
        return
      }
      case 'string': {
        const text = random.chance(0.9) ? Buffer.from(random.pick(this.#style.words)) : random.bytes(random.below(40))
        return this.#sized(isNull ? null : text, compact, 2)
      }
      case 'bytes':
        return this.#sized(isNull ? null : random.bytes(random.below(32)), compact, 4)
      case 'records':
        return this.#sized(isNull ? null : this.#style.records(), compact, 4)
      case 'uuid':
        this.#parts.push(random.chance(0.5) ? Buffer.alloc(16) : random.bytes(16))
        return
      case 'bool':
        return this.#integer(random.below(2), 1)
      case 'int8':
        return this.#integer(this.#number(), 1)
      case 'int16':
      case 'uint16':
        return this.#integer(this.#number(), 2)
      case 'int32':
      case 'uint32':
        return this.#integer(this.#number(), 4)
      case 'int64':
      case 'float64':
        return this.#integer(this.#number(), 8)
    }
  }

  #count(depth: number): number {
    const { random, elements } = this.#style
    return depth === 0 ? random.below(elements + 1) : random.below(Math.min(4, elements + 1))
  }

  #number(): number {
    const { random } = this.#style
    return random.chance(0.8) ? random.pick(INTEGERS) : random.chance(0.5) ? random.pick(LARGE) : random.below(100_000)
  }

  #integer(value: number, size: number): void {
    const bytes = Buffer.allocUnsafe(8)
    if (value >= 2 ** 63) bytes.writeBigInt64BE(2n ** 63n - 1n)
    else bytes.writeBigInt64BE(BigInt(value))
    this.#parts.push(bytes.subarray(8 - size))
  }

  #sized(bytes: Buffer | null, compact: boolean, size: number): void {
    this.#length(bytes?.length ?? -1, compact, size)
    if (bytes) this.#parts.push(bytes)
  }

  /** A length or count as it is, or a lie. */
  #length(length: number, compact: boolean, size: number): void {
    const { random, harm } = this.#style
    let told = length
    if (random.chance(harm)) told = random.chance(0.5) ? length + random.below(5) - 2 : random.pick(LENGTHS)
    if (!compact) return this.#integer(told, size)
    if (random.chance(harm))
      this.#parts.push(Buffer.from(random.pick(['ffffffff0f', 'ffffffffff', '8000', '80']), 'hex'))
    else this.#uvarint((told + 1) >>> 0)
  }

  #uvarint(value: number): void {
    const bytes: number[] = []
    let rest = value
    for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
    this.#parts.push(Buffer.from([...bytes, rest]))
  }

  #tags(tagged: readonly [string, AnyField][], depth: number): void {
    const { random, harm } = this.#style
    const tags = tagged
      .filter(() => random.chance(0.5))
      .map(([, field]) => ({ number: field.spec.tag!, content: this.#apart(() => this.#tagged(field, depth)) }))
    if (random.chance(0.1)) tags.push({ number: 100 + random.below(5000), content: random.bytes(random.below(20)) })
    if (random.chance(harm)) tags.push({ number: random.below(3), content: random.bytes(random.below(20)) })
    if (random.chance(harm)) tags.reverse()
    this.#uvarint(random.chance(harm) ? random.below(2 ** 32) : tags.length)
    for (const { number, content } of tags) {
      this.#uvarint(number)
      this.#uvarint(random.chance(harm) ? random.below(content.length + 3) : content.length)
      this.#parts.push(content)
    }
  }

  /** A nullable struct in a tagged field is preceded by a varint instead of an int8. */
  #tagged(field: AnyField, depth: number): void {
    if (field.spec.kind !== 'struct' || !isNullable(field.spec, this.#target.version)) return this.#field(field, depth)
    const isNull = this.#style.random.chance(0.2)
    this.#uvarint(isNull ? 0 : 1)
    if (!isNull) this.struct(field.spec, depth)
  }

  #apart(write: () => void): Buffer {
    const outer = this.#parts
    this.#parts = []
    write()
    const bytes = this.take()
    this.#parts = outer
    return bytes
  }
}
