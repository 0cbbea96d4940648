// Clients in C, one file each, compiled when their source has changed.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cache, missing, once, step } from './cache.ts'

const here = dirname(fileURLToPath(import.meta.url))

export interface Built {
  /** Where the program is, or will be. */
  path(): string
  /** Null where it is there or was built now, else why not. */
  readonly whyNot: () => string | null
}

export function built(name: string): Built {
  const source = join(here, `${name}.c`)
  const path = (): string => {
    const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12)
    return join(cache(), `bench-${name}-${hash}`)
  }
  const whyNot = once(() => {
    if (existsSync(path())) return null
    const gone = missing(['gcc'])
    if (gone !== null) return gone
    mkdirSync(cache(), { recursive: true })
    const working = `${path()}.${process.pid}`
    step('gcc', ['-O2', '-Wall', '-o', working, source], here)
    renameSync(working, path())
    return null
  })
  return { path, whyNot }
}
