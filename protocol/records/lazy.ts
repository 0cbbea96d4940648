// Loads a CommonJS package at first need, so that importing the protocol compiles no WebAssembly.
// Works from the sources, from an ES module bundle and from a CommonJS bundle with the packages left outside.
import { createRequire } from 'node:module'

// A CommonJS bundle has no import.meta.url. An ES module has no __filename, save in a worker made of a text, where it is
// no path.
const url = import.meta.url as string | undefined
const here = url ?? __filename
let load: NodeJS.Require | null = null

/** The package's exports. Throws what `require` throws. */
export function requireLazily(name: string): unknown {
  load ??= createRequire(here)
  return load(name)
}
