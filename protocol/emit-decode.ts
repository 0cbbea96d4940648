// Source of the decoder of one (message, version): straight-line calls of Reader's methods, one function per struct
// and array. Names come from our own definitions alone and are checked in compile.ts.
import {
  fallbackOf,
  fieldsIn,
  fixedSize,
  isCompact,
  isNullable,
  isRun,
  minimumSize,
  partsOf,
  type Run,
  type Target,
} from './layout.ts'
import type { AnyField, Kind, Spec } from './schema.ts'

const METHODS: { readonly [K in Kind]?: string } = { string: 'String', bytes: 'Bytes', records: 'Records' }

/** Function bodies gathered on the way; the caller puts them into one source. */
export class DecoderSource {
  readonly functions: string[] = []
  readonly #target: Target

  constructor(target: Target) {
    this.#target = target
  }

  /** Adds the function that reads a struct's fields; returns its name. */
  struct(spec: Spec): string {
    const { version, flexible, exact } = this.#target
    const { plain, tagged } = fieldsIn(spec, version)
    const lines: string[] = []
    for (const part of partsOf(plain)) {
      if (isRun(part)) lines.push(...this.#run(part, `p${lines.length}`))
      else lines.push(`const _${part[0]}=${this.#read(part[1])}`)
    }
    for (const [name, field] of tagged) lines.push(`let _${name}=${fallbackOf(field, exact)}`)
    if (flexible) lines.push(this.#tags(tagged))
    const present = new Set([...plain, ...tagged].map(([name]) => name))
    const members = Object.entries(spec.fields!).map(
      ([name, field]) => `${name}:${present.has(name) ? `_${name}` : fallbackOf(field, exact)}`,
    )
    return this.#function([...lines, `return {${members.join(',')}}`])
  }

  #run({ fields, size }: Run, place: string): string[] {
    const reads = fields.map(({ name, field, at }) => `const _${name}=r.${this.#fixed(field)}At(${place}+${at})`)
    return [`const ${place}=r.take(${size})`, ...reads]
  }

  #function(lines: string[]): string {
    const name = `f${this.functions.length}`
    this.functions.push(`function ${name}(r){\n${lines.join('\n')}\n}`)
    return name
  }

  #tags(tagged: [string, AnyField][]): string {
    if (tagged.length === 0) return 'r.skipTags()'
    const cases = tagged.map(
      ([name, field]) =>
        `case ${field.spec.tag}:{const e=r.enterTag();_${name}=${this.#readTagged(field)};r.leaveTag(e);break}`,
    )
    return `for(let n=r.uvarint(),t=-1;n>0;n--){t=r.nextTag(t);switch(t){${cases.join('')}default:r.skipTag()}}`
  }

  /** A nullable struct in a tagged field is preceded by a varint, 0 for null, instead of an int8. */
  #readTagged(field: AnyField): string {
    const { spec } = field
    if (spec.kind !== 'struct' || !isNullable(spec, this.#target.version)) return this.#read(field)
    return `(r.uvarint()===0?null:${this.struct(spec)}(r))`
  }

  /** The expression that reads one value. */
  #read(field: AnyField): string {
    const { spec } = field
    const nullable = isNullable(spec, this.#target.version)
    if (spec.kind === 'struct') {
      const read = `${this.struct(spec)}(r)`
      return nullable ? `(r.int8()<0?null:${read})` : read
    }
    const compact = isCompact(spec, this.#target)
    if (spec.kind === 'array') {
      const count = `r.${lowerFirst(`${compact ? 'compact' : ''}${nullable ? 'Nullable' : ''}Count`)}(${minimumSize(spec.of!, this.#target)})`
      const lines = [`const n=${count}`, ...(nullable ? ['if(n<0)return null'] : []), 'const a=[]']
      const size = fixedSize(spec.of!)
      if (size !== undefined) {
        lines.push(`let p=r.take(n*${size})`, `for(let i=0;i<n;i++,p+=${size})a.push(r.${this.#fixed(spec.of!)}At(p))`)
        return `${this.#function([...lines, 'return a'])}(r)`
      }
      const element = this.#read(spec.of!)
      return `${this.#function([...lines, `for(let i=0;i<n;i++)a.push(${element})`, 'return a'])}(r)`
    }
    const method = METHODS[spec.kind]
    if (method) return `r.${lowerFirst(`${compact ? 'compact' : ''}${nullable ? 'Nullable' : ''}${method}`)}()`
    return `r.${this.#fixed(field)}()`
  }

  /** Reader's method for a value of fixed size. */
  #fixed({ spec: { kind } }: AnyField): string {
    return kind === 'int64' && this.#target.exact ? 'int64Exact' : kind
  }
}

const lowerFirst = (name: string): string => name[0]!.toLowerCase() + name.slice(1)
