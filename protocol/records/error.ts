// The one error of this folder: record bytes that cannot be read, or values that cannot be written.

/**
 * CORRUPT: the bytes break the format. TOO_LARGE: they would expand past the caller's limit.
 * OUT_OF_RANGE: an int64 beyond ±(2^53-1), which a number cannot hold exactly.
 * UNSUPPORTED: a codec that this runtime cannot do (unknown id, no WebAssembly).
 */
export type RecordErrorCode = 'CORRUPT' | 'TOO_LARGE' | 'OUT_OF_RANGE' | 'UNSUPPORTED'

export class RecordError extends Error {
  readonly code: RecordErrorCode
  constructor(code: RecordErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RecordError'
    this.code = code
  }
}
