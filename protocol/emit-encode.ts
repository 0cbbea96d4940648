// Source of the encoder of one (message, version), the mirror of emit-decode.ts. Left-out fields are written as their
// fallback. A strict encoder also refuses values set in fields that the version lacks, unless they are ignorable.
import {
  fallbackOf,
  fieldsIn,
  fixedSize,
  isCompact,
  isFallback,
  isIn,
  isNullable,
  isRun,
  partsOf,
  type Run,
  type Target,
} from './layout.ts'
import type { AnyField, Spec } from './schema.ts'

export class EncoderSource {
  readonly functions: string[] = []
  readonly #target: Target
  readonly #strict: boolean

  constructor(target: Target, strict: boolean) {
    this.#target = target
    this.#strict = strict
  }

  /** Adds the function that writes a struct's fields; returns its name. */
  struct(spec: Spec): string {
    const { version, flexible, exact } = this.#target
    const { plain, tagged } = fieldsIn(spec, version)
    const lines = ['let v,p']
    if (this.#strict) lines.push(...this.#refusals(spec))
    const parts = partsOf(plain)
    const noTags = flexible && tagged.length === 0
    for (const part of parts) {
      if (isRun(part)) lines.push(...this.#run(part, noTags && part === parts.at(-1)))
      else lines.push(`v=x.${part[0]};if(v===undefined)v=${fallbackOf(part[1], exact)}`, this.#write(part[1], part[0]))
    }
    if (flexible && !noTags) lines.push(...this.#tags(tagged))
    else if (noTags && !(parts.length > 0 && isRun(parts.at(-1)!))) lines.push('w.uvarint(0)')
    const name = `f${this.functions.length}`
    this.functions.push(`function ${name}(w,x){\n${lines.join('\n')}\n}`)
    return name
  }

  /** Fields of fixed size; with `last`, the empty section of tags that ends the struct as well. */
  #run({ fields, size }: Run, last: boolean): string[] {
    const writes = fields.map(({ name, field, at }) => {
      const fallback = fallbackOf(field, this.#target.exact)
      return `v=x.${name};w.${this.#fixed(field)}At(p+${at},v===undefined?${fallback}:v)`
    })
    if (!last) return [`p=w.room(${size})`, ...writes]
    return [`p=w.room(${size + 1})`, ...writes, `w.noTagsAt(p+${size})`]
  }

  /** Writer's method for a value of fixed size. */
  #fixed({ spec: { kind } }: AnyField): string {
    return kind === 'int64' && this.#target.exact ? 'int64Exact' : kind
  }

  #refusals(spec: Spec): string[] {
    const { version, exact } = this.#target
    const absent = Object.entries(spec.fields!).filter(([, f]) => !isIn(f.spec, version) && !f.spec.ignorable)
    return absent.map(
      ([name, field]) =>
        `v=x.${name};if(v!==undefined&&!(${isFallback(field, 'v', exact)}))w.refuse('version ${version} has no ${name}')`,
    )
  }

  #tags(tagged: [string, AnyField][]): string[] {
    const { exact } = this.#target
    const lines = ['let n=0,m']
    for (const [name, field] of tagged) {
      lines.push(`v=x.${name};const h_${name}=v!==undefined&&!(${isFallback(field, 'v', exact)});if(h_${name})n++`)
    }
    lines.push('w.uvarint(n)')
    for (const [name, field] of tagged) {
      const write = this.#writeTagged(field, name)
      lines.push(`if(h_${name}){v=x.${name};w.uvarint(${field.spec.tag});m=w.open();${write};w.close(m)}`)
    }
    return lines
  }

  #writeTagged(field: AnyField, name: string): string {
    const { spec } = field
    if (spec.kind !== 'struct' || !isNullable(spec, this.#target.version)) return this.#write(field, name)
    return `if(v===null)w.uvarint(0);else{w.uvarint(1);${this.struct(spec)}(w,v)}`
  }

  /** Statements that write `v`, a value that is not undefined. */
  #write(field: AnyField, name: string): string {
    const { spec } = field
    const compact = isCompact(spec, this.#target)
    const nullable = isNullable(spec, this.#target.version)
    switch (spec.kind) {
      case 'struct': {
        const write = `${this.struct(spec)}(w,v)`
        if (nullable) return `if(v===null)w.int8(-1);else{w.int8(1);${write}}`
        return `if(v===null)w.refuse('${name} is null');${write}`
      }
      case 'array': {
        const size = compact ? 'w.uvarint(v.length+1)' : 'w.int32(v.length)'
        return orNull(nullable, compact ? 'w.uvarint(0)' : 'w.null32()', name, `${size};${this.#elements(spec, name)}`)
      }
      case 'string':
        return orNull(
          nullable,
          compact ? 'w.uvarint(0)' : 'w.null16()',
          name,
          `w.${compact ? 'compactString' : 'string'}(v)`,
        )
      case 'bytes':
        return orNull(
          nullable,
          compact ? 'w.uvarint(0)' : 'w.null32()',
          name,
          `w.${compact ? 'compactBytes' : 'bytes'}(v)`,
        )
      case 'records':
        return orNull(
          nullable,
          compact ? 'w.uvarint(0)' : 'w.null32()',
          name,
          `w.${compact ? 'compactRecords' : 'records'}(v)`,
        )
      case 'int64':
      case 'bool':
      case 'int8':
      case 'int16':
      case 'int32':
      case 'uint16':
      case 'uint32':
      case 'float64':
      case 'uuid':
        return `w.${this.#fixed(field)}(v)`
    }
  }

  #elements(spec: Spec, name: string): string {
    const element = spec.of!
    const size = fixedSize(element)
    if (size !== undefined) {
      return `{let p=w.room(v.length*${size});for(let i=0,l=v.length;i<l;i++,p+=${size})w.${this.#fixed(element)}At(p,v[i])}`
    }
    const write = this.#write(element, name)
    return `{const a=v;for(let i=0,l=a.length;i<l;i++){const v=a[i];${write}}}`
  }
}

/** Null where the version allows it, else a refusal. */
function orNull(nullable: boolean, writeNull: string, name: string, write: string): string {
  return `if(v===null)${nullable ? writeNull : `w.refuse('${name} is null')`};else{${write}}`
}
