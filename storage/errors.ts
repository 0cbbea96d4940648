/** Errors of the file formats: CorruptFileError is raised by readers alone and always names the file. */

/** The bytes of a file are not what its format says. */
export class CorruptFileError extends Error {
  readonly path: string

  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`)
    this.name = 'CorruptFileError'
    this.path = path
  }
}

/** The `code` of a system error (ENOENT ...), undefined for other errors. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** Whether the operating system reported it; Node's own codes (ERR_...) are something else. */
export const isSystemError = (error: unknown): error is Error => /^E[A-Z\d]+$/.test(errorCode(error) ?? '')

/** Whether the process, or the machine, has no descriptors or no memory left: nothing is wrong with the file. */
export const isShortage = (error: unknown): error is Error =>
  ['EMFILE', 'ENFILE', 'ENOMEM'].includes(errorCode(error) ?? '')

/** Whether the disk has no room left: what is there can be read, and what is removed makes room. */
export const isFull = (error: unknown): error is Error => ['ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '')
