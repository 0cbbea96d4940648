/**
 * Files for a recovery that must not shorten the log: whoever would cut, rename, remove or overwrite a `.log` is refused before
 * anything has happened to it. What a repair takes out of a log it has kept elsewhere before; what a recovery drops is gone.
 */
import type { FileHandle, Files } from './files.ts'
import * as names from './names.ts'

/** The logs of the folder stay as they are; everything else may be written. */
export function keepingLogs(files: Files, folder: string): Files {
  const logs = new Set(
    files.list(folder).flatMap(name => (name.endsWith(names.LOG_SUFFIX) ? [names.join(folder, name)] : [])),
  )
  const guard = (path: string, what: string): void => {
    if (logs.has(path)) throw new Error(`building the indexes anew would ${what} ${path}: it was left as it is`)
  }
  return {
    ...files,
    open(path, mode) {
      const handle = files.open(path, mode)
      return logs.has(path) ? readOnly(handle, what => guard(path, what)) : handle
    },
    rename(from, to) {
      guard(from, 'drop')
      guard(to, 'replace')
      files.rename(from, to)
    },
    remove(path) {
      guard(path, 'remove')
      files.remove(path)
    },
    removeDir(path) {
      for (const log of logs) if (log.startsWith(`${path}/`)) guard(log, 'remove')
      files.removeDir(path)
    },
    writeAtomic(path, data) {
      guard(path, 'replace')
      files.writeAtomic(path, data)
    },
    writeUnsynced(path, data) {
      guard(path, 'replace')
      files.writeUnsynced(path, data)
    },
  }
}

function readOnly(handle: FileHandle, refuse: (what: string) => void): FileHandle {
  return {
    path: handle.path,
    size: () => handle.size(),
    readAt: (target, position) => handle.readAt(target, position),
    append: () => refuse('lengthen'),
    writeAt: () => refuse('write into'),
    truncate(size) {
      if (size !== handle.size()) refuse(`cut to ${size} bytes`)
    },
    sync: () => handle.sync(),
    syncNow: () => handle.syncNow(),
    close: () => handle.close(),
  }
}
