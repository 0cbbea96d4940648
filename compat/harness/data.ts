// Records that are hard on a client or broker, and what must come back of them.

export interface Sample {
  readonly key: string | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, string>>
  readonly timestamp: number
}

/** Bytes that no codec makes smaller; the same for the same seed. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length)
  let state = seed >>> 0 || 1
  for (let i = 0; i < length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[i] = state & 0xff
  }
  return bytes
}

/** Text that every codec makes much smaller. */
export const prose = (length: number): Buffer =>
  Buffer.alloc(length, 'whoever asks it where it lives is told: no fixed abode. ')

/** Keys, values and headers of every kind. Timestamps count up from `since`. */
export function samples(since: number): Sample[] {
  const plain: Omit<Sample, 'timestamp'>[] = [
    { key: 'key', value: Buffer.from('value'), headers: {} },
    { key: null, value: Buffer.from('no key'), headers: {} },
    { key: 'tombstone', value: null, headers: {} },
    { key: null, value: null, headers: { only: 'headers' } },
    { key: '', value: Buffer.alloc(0), headers: { empty: '' } },
    { key: 'schlüssel-鍵-🔑', value: Buffer.from('wert-値-🎈'), headers: { 'kopf-頭': 'größe-👑' } },
    { key: 'binary', value: noise(1000), headers: { a: '1', b: '2', c: '3' } },
    { key: 'long', value: prose(20_000), headers: { long: prose(3000).toString() } },
  ]
  return plain.map((sample, i) => ({ ...sample, timestamp: since + i }))
}

export const MEGABYTE = 1_000_000

/** One record of a megabyte, which fits under the default of message.max.bytes as it is. */
export const megabyte = (timestamp: number): Sample => ({
  key: 'megabyte',
  value: noise(MEGABYTE, 7),
  headers: { size: '1e6' },
  timestamp,
})

/** Whole numbers from `from` to `to - 1`. */
export const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
