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
