// CRC-32C as a WebAssembly module written byte by byte: slicing-by-16 for short inputs, a SIMD fold for long ones.
// The fold uses that x^209 + x^144 + x^54 + x^39 + x^14 + 1, and with it every 2^k-th power of x put in its place,
// is a multiple of the CRC-32C polynomial: a unit of 16 (or 4) bytes may be dropped when it is XORed into the units
// 65, 155, 170, 195 and 209 places further on. No tables, no shifts, no carry-less multiplication.

/** Where the caller puts the data; the 3344 bytes before it must stay zero. */
export const BASE = 32768
/** The most that one call takes. */
export const CAPACITY = 1 << 20
const PAGES = 17
const POLYNOMIAL = 0x82f63b78

/** (address, length, CRC of what came before) -> CRC as a signed int32. The copy of the data is destroyed. */
export type CrcFunction = (address: number, length: number, crc: number) => number

export interface CrcModule {
  readonly memory: Uint8Array
  readonly short: CrcFunction
  readonly long: CrcFunction
}

/** The part of the WebAssembly API that is used here; an argument so that tests can take it away. */
export interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: Record<string, unknown> }
}

type Code = readonly number[]

const unsigned = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)])
const signed = (value: number): number[] =>
  value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)]

const constant = (value: number): Code => [0x41, ...signed(value)]
const get = (local: number): Code => [0x20, local]
const set = (local: number, value: Code): Code => [...value, 0x21, local]
const load = (address: Code, offset = 0): Code => [...address, 0x28, 0, ...unsigned(offset)]
const loadByte = (address: Code): Code => [...address, 0x2d, 0, 0]
const store = (address: Code, value: Code): Code => [...address, ...value, 0x36, 0, 0]
const vector = (address: Code, offset: number): Code => [...address, 0xfd, 0x00, 0, ...unsigned(offset)]
const storeVector = (address: Code, offset: number, value: Code): Code => [
  ...address,
  ...value,
  0xfd,
  0x0b,
  0,
  ...unsigned(offset),
]
const xorVectors = (first: Code, ...rest: Code[]): Code => [...first, ...rest.flatMap(code => [...code, 0xfd, 0x51])]
const xor = (first: Code, ...rest: Code[]): Code => [...first, ...rest.flatMap(code => [...code, 0x73])]
const add = (a: Code, b: Code): Code => [...a, ...b, 0x6a]
const subtract = (a: Code, b: Code): Code => [...a, ...b, 0x6b]
const and = (a: Code, b: Code): Code => [...a, ...b, 0x71]
const shiftRight = (a: Code, bits: number): Code => [...a, ...constant(bits), 0x76]
const shiftLeft = (a: Code, bits: number): Code => [...a, ...constant(bits), 0x74]
const less = (a: Code, b: Code): Code => [...a, ...b, 0x49]
const whileTrue = (condition: Code, body: Code): Code => [
  0x02,
  0x40,
  0x03,
  0x40, // block, loop
  ...condition,
  0x45,
  0x0d,
  1, // i32.eqz, br_if out of the block
  ...body,
  0x0c,
  0,
  0x0b,
  0x0b, // br to the loop, end, end
]
const when = (condition: Code, body: Code): Code => [...condition, 0x04, 0x40, ...body, 0x0b]
const call = (index: number, ...values: Code[]): Code => [...values.flat(), 0x10, index]
const leave = (value: Code): Code => [...value, 0x0f]
const fillZero = (address: Code, length: number): Code => [
  ...address,
  ...constant(0),
  ...constant(length),
  0xfc,
  0x0b,
  0,
]

// Parameters of every function: address, length, CRC.
const [P, N, C] = [0, 1, 2]

/** Slicing-by-16; the four lookups of the first word come last, since they alone wait for the round before. */
function shortBody(): Code {
  const words = [3, 4, 5, 6]
  const lookup = (word: number, byte: number): Code => {
    const local = get(words[word]!)
    const index =
      byte === 0
        ? shiftLeft(and(local, constant(255)), 2)
        : byte === 3
          ? shiftLeft(shiftRight(local, 24), 2)
          : and(shiftRight(local, 8 * byte - 2), constant(1020))
    return load(index, (15 - (4 * word + byte)) * 1024)
  }
  const lookups = [1, 2, 3, 0].flatMap(word => [0, 1, 2, 3].map(byte => lookup(word, byte)))
  return [
    ...set(C, xor(get(C), constant(-1))),
    ...whileTrue(less(constant(15), get(N)), [
      ...set(words[0]!, xor(load(get(P)), get(C))),
      ...[1, 2, 3].flatMap(word => set(words[word]!, load(get(P), 4 * word))),
      ...set(C, xor(lookups[0]!, ...lookups.slice(1))),
      ...set(P, add(get(P), constant(16))),
      ...set(N, subtract(get(N), constant(16))),
    ]),
    ...whileTrue(get(N), [
      ...set(C, xor(shiftRight(get(C), 8), load(shiftLeft(and(xor(get(C), loadByte(get(P))), constant(255)), 2)))),
      ...set(P, add(get(P), constant(1))),
      ...set(N, subtract(get(N), constant(1))),
    ]),
    ...xor(get(C), constant(-1)),
  ]
}

const DISTANCES = [65, 155, 170, 195, 209] // units; each counted back from the unit that receives

/** Folds everything but the last 209 units (and less than 64 bytes) away, then calls `tail` on what is left. */
function foldBody(unit: number, tail: number, tailFolds: boolean): Code {
  const [END, Q] = [3, 4]
  const history = 209 * unit
  const receive = (pointer: Code, offset: number): Code =>
    storeVector(
      pointer,
      offset,
      xorVectors(vector(pointer, offset), ...DISTANCES.map(g => vector(pointer, offset - g * unit))),
    )
  // The bytes from END on still lack what was folded away: pull it in, 16 bytes at a time, the last ones by 4.
  const settle = DISTANCES.flatMap(g => {
    const distance = g * unit
    const vectors = distance & -16
    const words = Array.from({ length: (distance - vectors) / 4 }, (_, i) => 4 * i)
    return [
      ...set(Q, subtract(get(END), constant(distance))),
      ...whileTrue(less(get(Q), subtract(get(END), constant(distance - vectors))), [
        ...storeVector(get(Q), distance, xorVectors(vector(get(Q), distance), vector(get(Q), 0))),
        ...set(Q, add(get(Q), constant(16))),
      ]),
      ...words.flatMap(o =>
        store(add(get(Q), constant(distance + o)), xor(load(get(Q), distance + o), load(get(Q), o))),
      ),
    ]
  })
  return [
    ...when(less(get(N), constant(history + 64)), leave(call(tail, get(P), get(N), get(C)))),
    ...store(get(P), xor(load(get(P)), get(C), constant(-1))),
    ...set(END, add(get(P), and(subtract(get(N), constant(history)), constant(-64)))),
    ...set(Q, subtract(get(P), constant(history))),
    ...whileTrue(less(get(Q), subtract(get(END), constant(history))), [
      ...[0, 16, 32, 48].flatMap(o => receive(get(Q), history + o)),
      ...set(Q, add(get(Q), constant(64))),
    ]),
    ...settle,
    ...(tailFolds ? fillZero(subtract(get(END), constant(836)), 836) : []),
    ...call(tail, get(END), subtract(add(get(P), get(N)), get(END)), constant(-1)),
  ]
}

const name = (text: string): Code => [text.length, ...Buffer.from(text)]
const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content]
function functionBody(locals: number, code: Code): Code {
  const content = [1, locals, 0x7f, ...code, 0x0b]
  return [...unsigned(content.length), ...content]
}

/** The module's bytes: functions `short` (0), the 4-byte fold (1) and `long` (2), and the memory. */
export function moduleBytes(): Uint8Array {
  return Uint8Array.from([
    0x00,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...section(1, [1, 0x60, 3, 0x7f, 0x7f, 0x7f, 1, 0x7f]),
    ...section(3, [3, 0, 0, 0]),
    ...section(5, [1, 1, PAGES, PAGES]),
    ...section(7, [3, ...name('memory'), 2, 0, ...name('short'), 0, 0, ...name('long'), 0, 2]),
    ...section(10, [
      3,
      ...functionBody(4, shortBody()),
      ...functionBody(2, foldBody(4, 0, false)),
      ...functionBody(2, foldBody(16, 1, true)),
    ]),
  ])
}

/** Table t at byte t * 1024, little-endian whatever the host is. */
function fillTables(memory: ArrayBuffer): void {
  const tables = new DataView(memory)
  for (let i = 0; i < 256; i++) {
    let c = i
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ POLYNOMIAL : c >>> 1
    tables.setInt32(i * 4, c, true)
  }
  for (let at = 1024; at < 16384; at += 4) {
    const before = tables.getInt32(at - 1024, true)
    tables.setInt32(at, (before >>> 8) ^ tables.getInt32((before & 255) * 4, true), true)
  }
}

/** Compiles the module; null where WebAssembly is missing (`--jitless`) or does not know SIMD. */
export function compileCrc32c(api: WebAssemblyApi | undefined): CrcModule | null {
  if (api === undefined) return null
  let exports
  try {
    exports = new api.Instance(new api.Module(moduleBytes())).exports
  } catch {
    return null // an engine without SIMD refuses to compile: the caller has another implementation
  }
  const memory = (exports['memory'] as { readonly buffer: ArrayBuffer }).buffer
  fillTables(memory)
  return {
    memory: new Uint8Array(memory),
    short: exports['short'] as CrcFunction,
    long: exports['long'] as CrcFunction,
  }
}
