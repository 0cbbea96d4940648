// One partition's folder for `odradek verify`, in a thread of its own or not.
import { errorCode } from '../../../storage/errors.ts'
import type { Files } from '../../../storage/files.ts'
import { contextOf, type DirectoryState } from '../../../storage/inspect-dir.ts'
import { checkFolder, type FolderReport } from '../../../storage/inspect-verify.ts'

/** Bytes that were read, or the end of a folder. */
export type Answer = { readonly bytes: number } | { readonly report: FolderReport }

/** A folder that cannot be read is a fault, and the next one follows. */
export function checkPartition(
  files: Files,
  state: DirectoryState,
  folder: string,
  onBytes: (count: number) => void,
): FolderReport {
  try {
    return checkFolder(files, folder, contextOf(state, folder), onBytes)
  } catch (error) {
    if (errorCode(error) === undefined) throw error
    const problem = `it cannot be read: ${(error as Error).message}`
    const fault = { path: folder, position: null, problem, isNote: false, heals: false }
    return { folder, faults: [fault], segments: 0, batches: 0, records: 0, bytes: 0, startOffset: 0, endOffset: 0 }
  }
}
