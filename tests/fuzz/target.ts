// What is fuzzed: a target makes cases by chance and runs them. A case is plain data, so that it can be kept as a file.
import type { Random } from './random.ts'

export type Plain = null | boolean | number | string | Buffer | readonly Plain[] | { readonly [name: string]: Plain }
export type Case = { readonly [name: string]: Plain }

export interface Target<C extends Case = Case> {
  readonly name: string
  /** How often it comes, in relation to the others. */
  readonly share: number
  generate(random: Random): C
  /** Throws where a property does not hold. `memory`: what it allocates is measured too, which is slow. */
  run(one: C, memory: boolean): void | Promise<void>
}

/** Bytes become `{ hex }`. */
export const caseToJson = (one: Case): string =>
  JSON.stringify(one, (_, value: unknown) => {
    const data =
      (value as { type?: string; data?: number[] } | null)?.type === 'Buffer' ? (value as { data: number[] }) : null
    return data ? { hex: Buffer.from(data.data).toString('hex') } : value
  })

export const caseFromJson = (json: string): Case =>
  JSON.parse(json, (_, value: unknown) => {
    const hex = (value as { hex?: string } | null)?.hex
    return hex === undefined ? value : Buffer.from(hex, 'hex')
  }) as Case

/** The result, or the refusal that was declared; anything else that is thrown goes through. */
export function attempt<T, E extends Error>(declared: new (...args: never[]) => E, work: () => T): T | E {
  try {
    return work()
  } catch (error) {
    if (error instanceof declared) return error
    throw error
  }
}
