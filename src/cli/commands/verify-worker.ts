// A thread of `odradek verify` and `odradek repair`: looks into the folders it is told, one after the other.
import { codecReady } from '../../../protocol/records/compression.ts'
import { diskFiles } from '../../../storage/files-disk.ts'
import { checkPartition, readDirectory, type DirectoryState } from '../../../storage/inspect-dir.ts'
import * as names from '../../../storage/names.ts'
import { planPartition } from '../../../storage/repair-plan.ts'
import { insideWorker } from '../../runtime/workers.ts'
import type { Answer, Question } from './each-folder.ts'

let state: DirectoryState | null = null

const directory = insideWorker<string, Question, Answer>((question, answer) => {
  void look(question, answer)
})
const files = diskFiles(directory)

async function look({ folder, plans, inUse }: Question, answer: (answer: Answer) => void): Promise<void> {
  await codecReady(4)
  state ??= readDirectory(files)
  const isHeld = inUse || (files.lockHolder?.(names.LOCK_FILE) ?? null) !== null
  const onBytes = (bytes: number): void => answer({ bytes })
  answer({
    done: plans
      ? planPartition(files, state, folder, onBytes)
      : checkPartition(files, state, folder, { onBytes, inUse: isHeld }),
  })
}
