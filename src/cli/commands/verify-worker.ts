// A thread of `odradek verify`: checks the folders it is told, one after the other.
import { codecReady } from '../../../protocol/records/compression.ts'
import { diskFiles } from '../../../storage/files-disk.ts'
import { checkPartition, readDirectory, type DirectoryState } from '../../../storage/inspect-dir.ts'
import * as names from '../../../storage/names.ts'
import { insideWorker } from '../../runtime/workers.ts'
import type { Answer } from './verify-folder.ts'

let state: DirectoryState | null = null

const directory = insideWorker<string, string, Answer>((folder, answer) => {
  void check(folder, answer)
})
const files = diskFiles(directory)

async function check(folder: string, answer: (answer: Answer) => void): Promise<void> {
  await codecReady(4)
  state ??= readDirectory(files)
  const inUse = (files.lockHolder?.(names.LOCK_FILE) ?? null) !== null
  answer({ report: checkPartition(files, state, folder, { onBytes: bytes => answer({ bytes }), inUse }) })
}
