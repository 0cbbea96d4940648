/**
 * An exclusive lock by a file, for a platform without flock. The file holds `pid start boot nonce`; a lock whose process
 * is gone (another start time, another boot) is stale and may be taken over by exactly one of any number of racers:
 * whoever creates `<lock>.<id of the stale lock>` first. Every file appears with its content, by link(2). A file that Apache
 * Kafka holds by a lock of the operating system is left to it.
 */
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { errorCode } from './errors.ts'
import { LockedError } from './files.ts'

interface Holder {
  readonly pid: number
  readonly start: string
  readonly boot: string
  readonly id: string
}

/** Takes the lock at `path` or throws LockedError; the function returned gives it back. */
export function takeLock(path: string): () => void {
  const other = systemLockHolder(path)
  if (other !== null) throw new LockedError(path, other)
  const nonce = randomBytes(8).toString('hex')
  const text = `${process.pid} ${startOf(process.pid) ?? '-'} ${bootId()} ${nonce}\n`
  const own = `${path}.${nonce}.tmp`
  writeFileSync(own, text)
  try {
    acquire(path, own)
  } finally {
    rmSync(own, { force: true })
  }
  removeLeftovers(path)
  return () => {
    // A lock taken from us by force (the file deleted by hand, then another start) is not ours to remove.
    if (readText(path) === text) rmSync(path, { force: true })
  }
}

/**
 * The live process that holds the lock at `path`, by pid; null when none does. Takes nothing. Of Apache Kafka, which locks the
 * (empty) file itself, only the system knows: asked where it has `/proc/locks`.
 */
export function lockHolder(path: string): number | null {
  const holder = holderOf(path)
  if (holder === null) return null
  if (holder.pid === 0) return systemLockHolder(path)
  for (let last = holder; ;) {
    if (isAlive(last)) return last.pid
    const claimer = holderOf(`${path}.${last.id}`)
    if (claimer === null) return null
    last = claimer
  }
}

/** Lines such as `1: POSIX  ADVISORY  WRITE 1234 08:01:5678 0 EOF`: pid, device and inode. */
function systemLockHolder(path: string): number | null {
  const stat = statSync(path, { throwIfNoEntry: false })
  const lines = readText('/proc/locks')?.split('\n') ?? []
  for (const line of lines) {
    const [, pid, inode] = /\s(\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line) ?? []
    if (inode !== undefined && Number(inode) === stat?.ino) return Number(pid)
  }
  return null
}

function acquire(path: string, own: string): void {
  for (;;) {
    if (created(path, own)) return
    const stale = lastHolder(path)
    if (stale === null) continue
    const claim = `${path}.${stale.claimed.id}`
    if (!created(claim, own)) continue
    // The claim may have been free because its winner already finished and tidied up: then the lock has changed.
    if (holderOf(path)?.id !== stale.first.id) {
      rmSync(claim, { force: true })
      continue
    }
    renameSync(own, path)
    return
  }
}

/**
 * Follows the claims from the lock file to the last one. Null: the lock vanished. Throws LockedError when the last
 * holder lives. A claimer that died before its rename is itself stale and claimed in turn.
 */
function lastHolder(path: string): { first: Holder; claimed: Holder } | null {
  const first = holderOf(path)
  if (first === null) return null
  let last = first
  for (;;) {
    if (isAlive(last)) throw new LockedError(path, last.pid)
    const claimer = holderOf(`${path}.${last.id}`)
    if (claimer === null) return { first, claimed: last }
    last = claimer
  }
}

/** Creates `path` with the content of `own`, false if it exists. */
function created(path: string, own: string): boolean {
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    const code = errorCode(error)
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error
  }
  // A file system without hard links: the content follows the name a moment later.
  try {
    writeFileSync(path, readFileSync(own), { flag: 'wx' })
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

/** Null: no such file. An unreadable content, such as the empty .lock of Apache Kafka, is a holder that does not live. */
function holderOf(path: string): Holder | null {
  const text = readText(path)
  if (text === null) return null
  const [pid, start, boot, nonce] = text.trim().split(' ')
  if (pid !== undefined && start !== undefined && boot !== undefined && nonce !== undefined && /^\w+$/.test(nonce)) {
    return { pid: Number(pid), start, boot, id: nonce }
  }
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? null : { pid: 0, start: '', boot: '', id: `inode${stat.ino}` }
}

function isAlive({ pid, start, boot }: Holder): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || boot !== bootId()) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false
    if (errorCode(error) !== 'EPERM') throw error
  }
  // The number may have been given to another process since: the start time tells, where the system says it.
  return start === '-' || start === startOf(pid)
}

/** Start of a process in clock ticks since boot (field 22 of /proc/PID/stat); null where there is no /proc. */
function startOf(pid: number): string | null {
  const stat = readText(`/proc/${pid}/stat`)
  // The name of the program, field 2, is in parentheses and may hold spaces.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
}

function bootId(): string {
  return readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '-'
}

/** Claims and temporary files of processes that died on the way: the lock is ours, so nobody else can need them. */
function removeLeftovers(path: string): void {
  const prefix = `${basename(path)}.`
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(prefix)) continue
    const leftover = join(dirname(path), name)
    const holder = holderOf(leftover)
    // A temporary file of a live process, or one being written this moment, belongs to a racer that is about to be refused.
    if (holder !== null && (!name.endsWith('.tmp') || (holder.pid > 0 && !isAlive(holder)))) {
      rmSync(leftover, { force: true })
    }
  }
}
