// Reads a small text file that a user named, such as a server.properties.
import { readFileSync } from 'node:fs'

/** The whole file as UTF-8; throws Node's error (code ENOENT, EACCES, EISDIR) when it cannot be read. */
export const readText = (path: string): string => readFileSync(path, 'utf8')
