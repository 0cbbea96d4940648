// The layout of one version of a message as a person wants to read it: fields in wire order with their wire types, and
// what that version changed. Walks the definition, as the JSON view does.
import type { Message } from './api.ts'
import { fieldsIn, isCompact, isIn, isNullable, type Target } from './layout.ts'
import { struct, type AnyField, type Shape, type Spec } from './schema.ts'

/** One field. Fields of a struct, or of the structs in an array, follow it one level deeper. */
export interface FieldLine {
  readonly depth: number
  readonly name: string
  /** `int32`, `nullable compact string`, `array of struct`. */
  readonly type: string
  /** `tag 0, default -1`, `new`, `may be null since this version`. */
  readonly notes: readonly string[]
}

export interface Layout {
  readonly fields: readonly FieldLine[]
  /** Paths of fields that the version before had and this one has not. */
  readonly gone: readonly string[]
}

/** The version must be one that the message has. */
export function describeMessage(message: Message<Shape>, version: number): Layout {
  const target = { version, flexible: version >= message.flexible, exact: false }
  const walk = new Walk(target, version > message.versions[0])
  walk.struct(struct(message.shape).spec, 0, '', false)
  return walk
}

class Walk implements Layout {
  readonly fields: FieldLine[] = []
  readonly gone: string[] = []
  readonly #target: Target
  /** Whether there is a version before to compare with. */
  readonly #compare: boolean

  constructor(target: Target, compare: boolean) {
    this.#target = target
    this.#compare = compare
  }

  /** `defaulted`: the struct itself is a tagged field, so that its fields' defaults say what its absence means. */
  struct(spec: Spec, depth: number, path: string, defaulted: boolean): void {
    const { version } = this.#target
    const { plain, tagged } = fieldsIn(spec, version)
    for (const [name, field] of [...plain, ...tagged]) {
      this.fields.push({ depth, name, type: this.#type(field), notes: this.#notes(field, defaulted) })
      const inner = field.spec.kind === 'array' ? field.spec.of! : field
      const below = field.spec.kind === 'struct' && (defaulted || field.spec.tag !== null)
      if (inner.spec.kind === 'struct') this.struct(inner.spec, depth + 1, `${path}${name}.`, below)
    }
    if (!this.#compare) return
    for (const [name, { spec: old }] of Object.entries(spec.fields!)) {
      if (isIn(old, version - 1) && !isIn(old, version)) this.gone.push(path + name)
    }
  }

  #type(field: AnyField): string {
    const { spec } = field
    const sized = ['array', 'string', 'bytes', 'records'].includes(spec.kind)
    const words = [
      ...(isNullable(spec, this.#target.version) ? ['nullable'] : []),
      ...(sized && isCompact(spec, this.#target) ? ['compact'] : []),
      spec.kind,
    ]
    return spec.kind === 'array' ? `${words.join(' ')} of ${this.#type(spec.of!)}` : words.join(' ')
  }

  #notes(field: AnyField, defaulted: boolean): string[] {
    const { spec } = field
    const { version } = this.#target
    const notes: string[] = []
    if (spec.tag !== null) notes.push(`tag ${spec.tag}`)
    const ownDefault = spec.kind !== 'struct' || spec.fallback === null
    if (ownDefault && (defaulted || spec.tag !== null)) notes.push(`default ${defaultText(spec)}`)
    if (this.#compare && spec.since === version) notes.push('new')
    else if (this.#compare && spec.nullSince === version) notes.push('may be null since this version')
    return notes
  }
}

/** What a tagged field is where it is not on the wire. */
function defaultText({ kind, fallback, nullSince }: Spec): string {
  if (fallback !== undefined) return JSON.stringify(fallback)
  switch (kind) {
    case 'struct':
    case 'array':
    case 'bytes':
    case 'string':
      return 'empty'
    case 'records':
      return nullSince === Infinity ? 'empty' : 'null'
    case 'uuid':
      return 'zero'
    case 'bool':
      return 'false'
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
    case 'uint16':
    case 'uint32':
    case 'float64':
      return '0'
  }
}
