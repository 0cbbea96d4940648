// Record batches of every magic: headers, records, codecs, checks.
export * as batch from './batch.ts'
export * from './compression.ts'
export * from './control.ts'
export { crc32c } from './crc32c.ts'
export * from './error.ts'
export * from './record.ts'
