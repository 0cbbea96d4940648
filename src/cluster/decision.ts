/** What a controller function returns: records to append and the reply to give once they are durable. */
import { errorOf } from '../../protocol/errors.ts'
import type { Quorum } from './quorum.ts'
import type { MetadataRecord } from './records.ts'

export interface Decision<Reply> {
  readonly records: readonly MetadataRecord[]
  readonly reply: Reply
  /** What the quorum becomes, recorded in front of `records`, of which there must be one then. */
  readonly quorum?: Quorum
}

/** An error for one item of a request, in the fields the replies have for it. */
export interface Refusal {
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** With no message given, the error's own text. */
export const refuse = (errorCode: number, errorMessage: string | null = errorOf(errorCode).message): Refusal => ({
  errorCode,
  errorMessage,
})

/** QuorumController.MAX_RECORDS_PER_USER_OP: a decision with more records is refused with POLICY_VIOLATION. */
export const MAX_RECORDS_PER_DECISION = 10_000

/** The names that stand in a list more than once, in order of their first repetition. */
export function duplicates<T>(items: Iterable<T>): Set<T> {
  const seen = new Set<T>()
  const repeated = new Set<T>()
  for (const item of items) {
    if (seen.has(item)) repeated.add(item)
    seen.add(item)
  }
  return repeated
}
