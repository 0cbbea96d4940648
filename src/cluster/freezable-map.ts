/**
 * A map whose content at one moment can be held still at no cost, for somebody who reads it bit by bit: while it is frozen what changes
 * is kept beside it, and what did is brought in by thaw(), which costs as much as changed. Order is that of a Map.
 */

interface Changes<K, V> {
  /** New values of keys of the base, that are not in `removed`, and keys that come behind it. */
  readonly set: Map<K, V>
  /** Keys of the base that are gone; one may have come again, at the end. */
  readonly removed: Set<K>
}

export class FreezableMap<K, V extends object> {
  readonly #base: Map<K, V>
  /** Null unless frozen. */
  #changes: Changes<K, V> | null = null
  #size: number

  constructor(entries: Iterable<readonly [K, V]> = []) {
    this.#base = new Map(entries)
    this.#size = this.#base.size
  }

  get size(): number {
    return this.#size
  }

  get(key: K): V | undefined {
    const changes = this.#changes
    if (changes === null) return this.#base.get(key)
    return changes.set.get(key) ?? (changes.removed.has(key) ? undefined : this.#base.get(key))
  }

  has(key: K): boolean {
    const changes = this.#changes
    if (changes === null) return this.#base.has(key)
    return changes.set.has(key) || (this.#base.has(key) && !changes.removed.has(key))
  }

  set(key: K, value: V): void {
    if (!this.has(key)) this.#size++
    const to = this.#changes?.set ?? this.#base
    to.set(key, value)
  }

  delete(key: K): void {
    if (!this.has(key)) return
    this.#size--
    const changes = this.#changes
    if (changes === null) return void this.#base.delete(key)
    changes.set.delete(key)
    if (this.#base.has(key)) changes.removed.add(key)
  }

  /** As of a Map, and as live; not to be kept beyond a freeze() or a thaw(). */
  *entries(): Generator<[K, V], void, undefined> {
    const changes = this.#changes
    if (changes === null) return yield* this.#base.entries()
    for (const [key, value] of this.#base) if (!changes.removed.has(key)) yield [key, changes.set.get(key) ?? value]
    for (const entry of changes.set) if (!this.#base.has(entry[0]) || changes.removed.has(entry[0])) yield entry
  }

  *keys(): Generator<K, void, undefined> {
    for (const [key] of this.entries()) yield key
  }

  values(): Iterable<V> {
    return this.#changes === null ? this.#base.values() : this.#values()
  }

  *#values(): Generator<V, void, undefined> {
    for (const [, value] of this.entries()) yield value
  }

  /** The map as it is now, until thaw(). One at a time. */
  freeze(): ReadonlyMap<K, V> {
    if (this.#changes !== null) throw new Error('a frozen map is frozen again')
    this.#changes = { set: new Map(), removed: new Set() }
    return this.#base
  }

  /** Nobody reads what freeze() gave any more. */
  thaw(): void {
    const changes = this.#changes
    if (changes === null) return
    this.#changes = null
    for (const key of changes.removed) this.#base.delete(key)
    for (const [key, value] of changes.set) this.#base.set(key, value)
  }
}
