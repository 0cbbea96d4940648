// Kafka's error codes as constants (error-codes.ts), what is known of each, and the error that ends a handler.
import * as codes from './error-codes.ts'

export * from './error-codes.ts'

export interface ErrorEntry {
  readonly code: number
  /** Kafka's name, which is the constant's. */
  readonly name: string
  readonly retriable: boolean
  readonly message: string
}

const byCode = new Map<number, ErrorEntry>()
const byName = new Map<string, ErrorEntry>()
for (const [name, code] of Object.entries(codes)) {
  if (typeof code !== 'number') continue
  const entry = { code, name, ...codes.entries.get(code)! }
  byCode.set(code, entry)
  byName.set(name, entry)
}

/** The entry of a code; an unknown one is described as the unknown server error it stands for. */
export const errorOf = (code: number): ErrorEntry =>
  byCode.get(code) ?? { code, name: `UNKNOWN_${code}`, retriable: false, message: `Error ${code} is not known.` }

export const errorByName = (name: string): ErrorEntry | undefined => byName.get(name)

export const errorEntries = (): ErrorEntry[] => [...byCode.values()]

/** Ends a handler: the whole request is answered with this code (and message, where the response has room for it). */
export class KafkaError extends Error {
  override readonly name = 'KafkaError'
  readonly code: number

  constructor(code: number, message: string = errorOf(code).message) {
    super(message)
    this.code = code
  }
}
