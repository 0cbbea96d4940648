/**
 * Large files that lose their last name are held open until a thread has closed them: what they take on the disk, and in the page
 * cache, is given back then and there, which takes the kernel some 20 ms for each 64 MB. One at a time, so that syncs find a thread.
 */
import fs from 'node:fs'

const LARGE_BYTES = 1024 * 1024
/** Beyond it a file is freed where it loses its name: these descriptors come on top of those that OpenFiles counts. */
const MAX_HELD = 64
/** Windows keeps the name of a file that is open. */
const CAN_HOLD = process.platform !== 'win32'

const waiting: number[] = []
let isClosing = false

/** Takes names away with `remove`; the files at these full paths are freed later, where they are large and have no other name. */
export function freeLater(paths: readonly string[], remove: () => void): void {
  const held: number[] = []
  for (const path of CAN_HOLD ? paths.slice(0, Math.max(0, MAX_HELD - waiting.length)) : []) {
    const fd = hold(path)
    if (fd !== null) held.push(fd)
  }
  try {
    remove()
  } finally {
    waiting.push(...held)
    closeNext()
  }
}

/** Null for a small file, one that is missing, or where a descriptor is not to be had: it is no necessity. */
function hold(path: string): number | null {
  try {
    const found = fs.statSync(path, { throwIfNoEntry: false })
    return found?.isFile() === true && found.size >= LARGE_BYTES ? fs.openSync(path, 'r') : null
  } catch {
    return null
  }
}

function closeNext(): void {
  const fd = isClosing ? undefined : waiting.shift()
  if (fd === undefined) return
  isClosing = true
  fs.close(fd, () => {
    isClosing = false
    closeNext()
  })
}
