// Questions about one field in one version, asked by both emitters and the JSON view.
import type { AnyField, Spec } from './schema.ts'

/** One (message version, number mode) that code is emitted for. */
export interface Target {
  readonly version: number
  readonly flexible: boolean
  /** int64 as bigint outside the safe range, instead of refusing it. */
  readonly exact: boolean
}

export const isIn = ({ since, until }: Spec, version: number): boolean => version >= since && version <= until

export const isNullable = ({ nullSince }: Spec, version: number): boolean => version >= nullSince

/** Compact lengths and tagged sections: every field of a flexible version but those marked plain. */
export const isCompact = (spec: Spec, { flexible }: Target): boolean => flexible && !spec.plain

/** Fields of a struct in wire order: those without a tag, then the tagged ones by number. */
export function fieldsIn(spec: Spec, version: number): { plain: [string, AnyField][]; tagged: [string, AnyField][] } {
  const present = Object.entries(spec.fields!).filter(([, field]) => isIn(field.spec, version))
  const plain = present.filter(([, field]) => field.spec.tag === null)
  const tagged = present.filter(([, field]) => field.spec.tag !== null)
  tagged.sort(([, a], [, b]) => a.spec.tag! - b.spec.tag!)
  return { plain, tagged }
}

const FIXED: { readonly [kind: string]: number } = {
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

/** Bytes of every value of this field; undefined where they differ. */
export const fixedSize = ({ spec }: AnyField): number | undefined => FIXED[spec.kind]

/** Neighbours of fixed size in a struct, which are checked and written together. */
export interface Run {
  readonly fields: readonly {
    readonly name: string
    readonly field: AnyField
    /** Bytes before it. */ readonly at: number
  }[]
  readonly size: number
}

/** A struct's fields in wire order, neighbours of fixed size as one run. */
export function partsOf(fields: readonly [string, AnyField][]): (Run | readonly [string, AnyField])[] {
  const parts: (Run | readonly [string, AnyField])[] = []
  let run: { fields: { name: string; field: AnyField; at: number }[]; size: number } | null = null
  for (const [name, field] of fields) {
    const size = fixedSize(field)
    if (size === undefined) {
      run = null
      parts.push([name, field])
      continue
    }
    if (!run) parts.push((run = { fields: [], size: 0 }))
    run.fields.push({ name, field, at: run.size })
    run.size += size
  }
  return parts
}

export const isRun = (part: Run | readonly [string, AnyField]): part is Run => 'size' in part

/** The fewest bytes a value of this field can take, for checking counts before anything is allocated. */
export function minimumSize(field: AnyField, target: Target): number {
  const { spec } = field
  const fixed = FIXED[spec.kind]
  if (fixed !== undefined) return fixed
  if (spec.kind === 'struct') {
    if (isNullable(spec, target.version)) return 1
    const { plain } = fieldsIn(spec, target.version)
    return plain.reduce((sum, [, f]) => sum + minimumSize(f, target), target.flexible ? 1 : 0)
  }
  if (isCompact(spec, target)) return 1
  return spec.kind === 'string' ? 2 : 4
}

/**
 * A field's fallback as a JavaScript expression. `K` are the constants handed to emitted code; empty arrays and
 * structs are made anew each time, since a handler may write to what it was given.
 */
export function fallbackOf(field: AnyField, exact: boolean): string {
  const { spec } = field
  if (spec.fallback !== undefined) return literal(spec, exact)
  switch (spec.kind) {
    case 'bool':
      return 'false'
    case 'string':
      return '""'
    case 'uuid':
      return 'K.zeroUuid'
    case 'bytes':
      return 'K.noBytes'
    case 'records':
      return spec.nullSince === Infinity ? 'K.noRecords' : 'null'
    case 'array':
      return '[]'
    case 'struct': {
      const fields = Object.entries(spec.fields!).map(([name, f]) => `${name}:${fallbackOf(f, exact)}`)
      return `{${fields.join(',')}}`
    }
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

function literal({ kind, fallback }: Spec, exact: boolean): string {
  if (kind === 'int64' && exact && Math.abs(fallback as number) === 2 ** 63) {
    return (fallback as number) > 0 ? '9223372036854775807n' : '-9223372036854775808n'
  }
  return JSON.stringify(fallback)
}

/** A condition, as JavaScript, that the value `x` is the field's fallback. */
export function isFallback(field: AnyField, x: string, exact: boolean): string {
  const { spec } = field
  if (spec.fallback === null || (spec.kind === 'records' && spec.nullSince !== Infinity)) return `${x}===null`
  switch (spec.kind) {
    case 'array':
    case 'bytes':
      return `(${x}!==null&&${x}.length===0)`
    case 'records':
      return `${x}.byteLength===0`
    case 'struct': {
      const parts = Object.entries(spec.fields!).map(
        ([name, f]) => `(${x}.${name}===undefined||${isFallback(f, `${x}.${name}`, exact)})`,
      )
      return [`(${x}!==null`, ...parts].join('&&') + ')'
    }
    case 'int64':
      return exact ? `${x}==${fallbackOf(field, true)}` : `${x}===${fallbackOf(field, false)}`
    case 'bool':
    case 'int8':
    case 'int16':
    case 'int32':
    case 'uint16':
    case 'uint32':
    case 'float64':
    case 'string':
    case 'uuid':
      return `${x}===${fallbackOf(field, exact)}`
  }
}
