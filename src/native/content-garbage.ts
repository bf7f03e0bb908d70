/** Memory that read content leaves behind. */

const limitBytes = 4 * 1024 * 1024;

/**
 * Content lies outside the JavaScript heap, which stays small and sees no reason to collect while tens of megabytes
 * pile up. So each few megabytes of it the young generation is collected, which takes about a millisecond.
 * Without `--expose-gc` (see bin/posthorn) nothing happens.
 */
export class ContentGarbage {
  #bytes = 0;

  /** So much content was read and let go. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < limitBytes) return;
    this.#bytes = 0;
    globalThis.gc?.({ type: 'minor' });
  }
}
