// What a thread of `odradek verify` answers.
import type { FolderReport } from '../../../storage/inspect-verify.ts'

/** Bytes that were read, or the end of a folder. */
export type Answer = { readonly bytes: number } | { readonly report: FolderReport }
