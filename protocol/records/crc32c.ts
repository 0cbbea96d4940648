// CRC-32C (Castagnoli), the checksum of magic-2 batches: a WebAssembly SIMD fold, or the crc-32 package without it.
import type { CrcModule, WebAssemblyApi } from './crc32c-wasm.ts'
import { BASE, CAPACITY, compileCrc32c } from './crc32c-wasm.ts'
import { requireLazily } from './lazy.ts'

export type Crc32c = (bytes: Uint8Array, seed?: number) => number

// Below this the fold's fixed cost is higher than what it saves.
const FOLD_FROM = 4096

function wasmCrc32c({ memory, short, long }: CrcModule): Crc32c {
  return (bytes, seed = 0) => {
    const length = bytes.length
    if (length <= CAPACITY) {
      memory.set(bytes, BASE)
      return (length < FOLD_FROM ? short(BASE, length, seed) : long(BASE, length, seed)) >>> 0
    }
    let crc = seed
    for (let from = 0; from < length; from += CAPACITY) {
      const block = bytes.subarray(from, from + CAPACITY)
      memory.set(block, BASE)
      crc = block.length < FOLD_FROM ? short(BASE, block.length, crc) : long(BASE, block.length, crc)
    }
    return crc >>> 0
  }
}

function packageCrc32c(): Crc32c {
  const { buf } = requireLazily('crc-32/crc32c.js') as { buf: (bytes: Uint8Array, seed: number) => number }
  return (bytes, seed = 0) => buf(bytes, seed) >>> 0
}

/** Chooses an implementation: the fold where this WebAssembly has SIMD, else the crc-32 package. */
export function createCrc32c(api: WebAssemblyApi | undefined): Crc32c {
  const module = compileCrc32c(api)
  return module ? wasmCrc32c(module) : packageCrc32c()
}

let implementation: Crc32c | null = null

/** The CRC-32C of `bytes`, unsigned. `seed` is the CRC of what came before: crc32c(b, crc32c(a)) = crc32c(ab). */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  implementation ??= createCrc32c((globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly)
  return implementation(bytes, seed)
}
