/** The disk driver of the Files port. The only file of storage, beside files-lock.ts, that touches node:fs. */
import fs from 'node:fs'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, unlinkSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileHandle } from './files.ts'
import type { Files, RawFile } from './files.ts'
import { takeLock } from './files-lock.ts'
import { parentOf, TEMPORARY_SUFFIX } from './names.ts'

/** Windows cannot open a directory to sync it; its file system journals names by itself. */
const SYNCS_FOLDERS = process.platform !== 'win32'

/** Files below an existing or future folder `root`; mkdir('') creates it. */
export function diskFiles(root: string): Files {
  const base = resolve(root)
  const at = (path: string) => (path === '' ? base : `${base}/${path}`)

  return {
    open: (path, mode) => fileHandle(path, rawFile(at(path), mode)),
    exists: path => statSync(at(path), { throwIfNoEntry: false }) !== undefined,
    list: path => readdirSync(at(path)).toSorted(),
    isFolder: path => statSync(at(path), { throwIfNoEntry: false })?.isDirectory() ?? false,
    size: path => statSync(at(path)).size,
    mkdir(path) {
      const first = mkdirSync(at(path), { recursive: true })
      if (path !== '' || first === undefined) return
      // What lies above the root is nobody else's to sync.
      for (let created = base; ; created = dirname(created)) {
        syncFolderNow(dirname(created))
        if (created === resolve(first)) return
      }
    },
    rename: (from, to) => renameSync(at(from), at(to)),
    remove: path => unlinkSync(at(path)),
    removeDir: path => rmSync(at(path), { recursive: true }),
    readAll: path => readFileSync(at(path)),
    writeAtomic(path, data) {
      const temporary = at(path + TEMPORARY_SUFFIX)
      const fd = fs.openSync(temporary, 'w')
      try {
        for (let done = 0; done < data.byteLength;) done += fs.writeSync(fd, data, done)
        fs.fsyncSync(fd)
      } finally {
        fs.closeSync(fd)
      }
      renameSync(temporary, at(path))
      syncFolderNow(at(parentOf(path)))
    },
    syncDir: path => syncFolder(at(path)),
    syncDirNow: path => syncFolderNow(at(path)),
    lock: path => takeLock(at(path)),
  }
}

function rawFile(path: string, mode: 'read' | 'write'): RawFile {
  const { O_RDONLY, O_RDWR, O_CREAT } = fs.constants
  const fd = fs.openSync(path, mode === 'read' ? O_RDONLY : O_RDWR | O_CREAT, 0o644)
  return {
    size: () => fs.fstatSync(fd).size,
    writev(parts, position) {
      const only = parts[0]
      return parts.length === 1 && only !== undefined
        ? fs.writeSync(fd, only, 0, only.byteLength, position)
        : fs.writevSync(fd, parts, position)
    },
    read: (target, position) => fs.readSync(fd, target, 0, target.byteLength, position),
    truncate: size => fs.ftruncateSync(fd, size),
    datasync: () => new Promise((done, failed) => fs.fdatasync(fd, error => (error === null ? done() : failed(error)))),
    datasyncNow: () => fs.fdatasyncSync(fd),
    close: () => fs.closeSync(fd),
  }
}

async function syncFolder(path: string): Promise<void> {
  if (!SYNCS_FOLDERS) return
  const handle = await fs.promises.open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function syncFolderNow(path: string): void {
  if (!SYNCS_FOLDERS) return
  const fd = fs.openSync(path, 'r')
  try {
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}
