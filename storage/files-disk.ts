/** The disk driver of the Files port. Of storage this, files-lock.ts, files-open.ts and files-freed.ts alone touch node:fs. */
import fs from 'node:fs'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, unlinkSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileHandle } from './files.ts'
import type { Files } from './files.ts'
import { freeLater } from './files-freed.ts'
import { lockHolder, takeLock } from './files-lock.ts'
import { OpenFiles } from './files-open.ts'
import { parentOf, TEMPORARY_SUFFIX } from './names.ts'

/** Windows cannot open a directory to sync it; its file system journals names by itself. */
const SYNCS_FOLDERS = process.platform !== 'win32'

/** Of the descriptors of the process; the others are for connections. */
const OUR_SHARE = 0.75

export interface DiskFilesOptions {
  /** Most files kept open; those with unsynced bytes stay open beyond it. */
  readonly maxOpen?: number
  /** Shared with other directories, in place of a number of its own. */
  readonly openFiles?: OpenFiles
}

/** Of several directories of one process: together they keep no more files open, and have one share of its descriptors. */
export const sharedOpenFiles = (maxOpen: number): OpenFiles =>
  new OpenFiles(maxOpen, Math.floor(descriptorLimit() * OUR_SHARE))

/** Files below an existing or future folder `root`; mkdir('') creates it. */
export function diskFiles(root: string, { maxOpen = 1024, openFiles }: DiskFilesOptions = {}): Files {
  const base = resolve(root)
  const at = (path: string) => (path === '' ? base : `${base}/${path}`)
  const open = openFiles ?? sharedOpenFiles(maxOpen)
  const openFd = (path: string, flags: string) => open.withDescriptors(() => fs.openSync(path, flags))
  const syncFolderNow = (path: string) => SYNCS_FOLDERS && withFd(openFd(path, 'r'), fs.fsyncSync)
  const replace = (path: string, data: Uint8Array, beforeRename: (fd: number) => void) => {
    const temporary = at(path + TEMPORARY_SUFFIX)
    withFd(openFd(temporary, 'w'), fd => {
      for (let done = 0; done < data.byteLength;) done += fs.writeSync(fd, data, done)
      beforeRename(fd)
    })
    renameSync(temporary, at(path))
  }

  return {
    open: (path, mode) => fileHandle(path, open.file(at(path), mode)),
    exists: path => statSync(at(path), { throwIfNoEntry: false }) !== undefined,
    list: path => open.withDescriptors(() => readdirSync(at(path))).toSorted(),
    isFolder: path => statSync(at(path), { throwIfNoEntry: false })?.isDirectory() ?? false,
    space() {
      const { bsize, blocks, bavail } = fs.statfsSync(base)
      return { totalBytes: bsize * blocks, usableBytes: bsize * bavail }
    },
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
    rename: (from, to) => freeLater([at(to)], () => renameSync(at(from), at(to))),
    remove: path => freeLater([at(path)], () => unlinkSync(at(path))),
    removeDir(path) {
      const inside = open.withDescriptors(() => readdirSync(at(path)))
      freeLater(
        inside.map(name => `${at(path)}/${name}`),
        () => rmSync(at(path), { recursive: true }),
      )
    },
    readAll: path => open.withDescriptors(() => readFileSync(at(path))),
    writeAtomic(path, data) {
      replace(path, data, fs.fsyncSync)
      syncFolderNow(at(parentOf(path)))
    },
    writeUnsynced: (path, data) => replace(path, data, () => undefined),
    syncFile: path => syncFd(openFd(at(path), 'r')),
    syncFileNow: path => withFd(openFd(at(path), 'r'), fs.fsyncSync),
    async syncDir(path) {
      if (SYNCS_FOLDERS) await syncFd(openFd(at(path), 'r'))
    },
    syncDirNow: path => void syncFolderNow(at(path)),
    lock: path => takeLock(at(path)),
    lockHolder: path => lockHolder(at(path)),
  }
}

/** How many files this process may have open; Infinity where the system does not tell. */
function descriptorLimit(): number {
  if (process.platform !== 'linux') return Infinity
  const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? []
  return soft === undefined ? Infinity : Number(soft)
}

function withFd(fd: number, calls: (fd: number) => void): void {
  try {
    calls(fd)
  } finally {
    fs.closeSync(fd)
  }
}

async function syncFd(fd: number): Promise<void> {
  try {
    await new Promise<void>((done, failed) => {
      fs.fsync(fd, error => (error === null ? done() : failed(error)))
    })
  } finally {
    fs.closeSync(fd)
  }
}
