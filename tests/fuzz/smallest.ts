// The smallest elements that a request can hold, as many as are wanted: what costs a server the most for its bytes.
import type { Api } from '../../protocol/api.ts'
import { fieldsIn, isCompact, isNullable, type Target } from '../../protocol/layout.ts'
import { struct, type AnyField, type Spec } from '../../protocol/schema.ts'
import { Writer } from '../../protocol/writer.ts'

/** Fills one array with elements as small as they can be; every other array has none, or one where that one is in it. */
class Smallest {
  readonly #target: Target
  readonly #writer: Writer
  readonly #elements: number
  /** Arrays to pass before the one that is filled; -1 once it is. */
  #before: number

  constructor(target: Target, writer: Writer, nth: number, elements: number) {
    this.#target = target
    this.#writer = writer
    this.#before = nth
    this.#elements = elements
  }

  get isFilled(): boolean {
    return this.#before < 0
  }

  struct(spec: Spec): void {
    const { plain } = fieldsIn(spec, this.#target.version)
    for (const [, field] of plain) this.#field(field)
    if (this.#target.flexible) this.#writer.uvarint(0)
  }

  #field(field: AnyField): void {
    const { spec } = field
    const compact = isCompact(spec, this.#target)
    const w = this.#writer
    switch (spec.kind) {
      case 'struct':
        if (isNullable(spec, this.#target.version)) w.int8(1)
        return this.struct(spec)
      case 'array': {
        const count = this.#before === 0 ? this.#elements : this.#before > 0 ? 1 : 0
        this.#before--
        if (compact) w.uvarint(count + 1)
        else w.int32(count)
        for (let i = 0; i < count; i++) this.#field(spec.of!)
        return
      }
      case 'string':
        return compact ? w.uvarint(1) : w.int16(0)
      case 'bytes':
      case 'records':
        return compact ? w.uvarint(1) : w.int32(0)
      case 'uuid':
        return w.raw(Buffer.alloc(16, 7))
      case 'bool':
      case 'int8':
        return w.int8(1)
      case 'int16':
      case 'uint16':
        return w.int16(1)
      case 'int32':
      case 'uint32':
        return w.int32(1)
      case 'int64':
      case 'float64':
        w.int32(1000)
        return w.int32(1)
    }
  }
}

/** A request body whose `nth` array has that many elements; null: there is no such array. */
export function smallest(api: Api, version: number, nth: number, elements: number): Buffer | null {
  const writer = new Writer()
  const target = { version, flexible: version >= api.flexible, exact: false }
  const walk = new Smallest(target, writer, nth, elements)
  walk.struct(struct(api.request.shape).spec)
  return walk.isFilled ? writer.toBuffer() : null
}
