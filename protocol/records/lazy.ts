// Loads a CommonJS package at first need, so that importing the protocol compiles no WebAssembly.
// Works from the sources, from an ES module bundle and from a CommonJS bundle with the packages left outside.
import { createRequire } from 'node:module'

// A CommonJS bundle has no import.meta, an ES module no __filename.
const here = typeof __filename === 'string' ? __filename : import.meta.url
let load: NodeJS.Require | null = null

/** The package's exports. Throws what `require` throws. */
export function requireLazily(name: string): unknown {
  load ??= createRequire(here)
  return load(name)
}
