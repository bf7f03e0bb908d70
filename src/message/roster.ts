/** Things that come and go all the time, by key. */

/**
 * What a Map is, for what lives shortly: messages under way, sessions. When a Map is cleaned of deleted entries it leaves
 * its old table behind, with all that was in it, and that points to the new one. Once such a table has grown old, the
 * collector of the young keeps the next one for its sake, and so on: nearly all that ever stood in the Map stays, until
 * everything is collected. Here the tables hold places, and what stood in a place is taken out.
 */
export class Roster<K extends string | number, V> {
  readonly #places = new Map<K, { value: V | undefined }>();

  get size(): number {
    return this.#places.size;
  }

  has(key: K): boolean {
    return this.#places.has(key);
  }

  get(key: K): V | undefined {
    return this.#places.get(key)?.value;
  }

  set(key: K, value: V): void {
    const place = this.#places.get(key);
    if (place === undefined) this.#places.set(key, { value });
    else place.value = value;
  }

  /** Gives what was there. */
  delete(key: K): V | undefined {
    const place = this.#places.get(key);
    if (place === undefined) return undefined;
    this.#places.delete(key);
    const { value } = place;
    place.value = undefined;
    return value;
  }

  clear(): void {
    for (const place of this.#places.values()) place.value = undefined;
    this.#places.clear();
  }

  /** In the order in which they came. */
  *values(): Iterable<V> {
    for (const { value } of this.#places.values()) if (value !== undefined) yield value;
  }
}
