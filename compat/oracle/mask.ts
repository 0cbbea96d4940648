// What two brokers choose for themselves (ids, times, ports, wording) is replaced by placeholders. The same id gets the
// same placeholder wherever it appears again within a case, on either side.
import { ZERO_UUID } from '../../protocol/schema.ts'
import { UUID, type Json } from './readable.ts'

/** Texts for people: that there is one is compared, not its words. */
const texts = new Set(['errorMessage', 'batchIndexErrorMessage', 'documentation'])
const HOUR_MS = 3_600_000

export class Mask {
  readonly #port: number
  readonly #now: number
  readonly #names = new Map<string, string>()
  readonly #counts = new Map<string, number>()

  readonly #slug: string

  /** `port`: where this side listens; `now`: when the case began; `slug`: what its names begin with. */
  constructor(port: number, now: number, slug: string) {
    this.#port = port
    this.#now = now
    this.#slug = slug
  }

  /** Must be called in the order in which the exchanges were begun, the same on both sides. */
  apply(value: Json, name = ''): Json {
    if (Array.isArray(value)) return value.map(element => this.apply(element, name))
    if (value !== null && typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, this.apply(of, key)]))
    }
    if (typeof value === 'number') return this.#number(value, name)
    return typeof value === 'string' ? this.#text(value, name) : value
  }

  #number(value: number, name: string): Json {
    if (name === 'port') return value === this.#port ? '<port>' : value
    if ((name === 'producerId' || name === 'sessionId') && value > 0) return this.#placeholder(name, value)
    // The first producer id of a fresh broker is 0.
    if (name === 'producerId' && value === 0) return this.#placeholder(name, value)
    if (name === 'finalizedFeaturesEpoch' && value >= 0) return '<epoch>'
    if ((name === 'totalBytes' || name === 'usableBytes') && value > 0) return '<bytes>'
    if (/time/i.test(name) && Math.abs(value - this.#now) < HOUR_MS) return '<now>'
    return value
  }

  #text(value: string, name: string): string {
    if (texts.has(name)) return value === '' ? value : '<text>'
    if (name === 'topicId') return value === ZERO_UUID ? '<no topic id>' : this.#placeholder(name, value)
    if (name === 'logDir') return value === '' ? value : '<folder>'
    if (name === 'clusterId') return value === '' ? value : '<cluster>'
    return value
      .replaceAll(`${this.#slug}-`, '~')
      .replaceAll(UUID, id => this.#placeholder('id', id))
      .replaceAll(`127.0.0.1:${this.#port}`, '127.0.0.1:<port>')
      .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:<another port>')
      .replaceAll(/\/[\w./-]*odradek-oracle-[\w./-]*/g, '<folder>')
  }

  #placeholder(kind: string, value: string | number): string {
    const key = `${kind} ${value}`
    const known = this.#names.get(key)
    if (known !== undefined) return known
    const count = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, count)
    const made = `<${kind} ${count}>`
    this.#names.set(key, made)
    return made
  }
}
