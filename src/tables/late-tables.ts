/**
 * Tables that are all opened when the first of them is asked: as Postfix opens them when a process starts, which is at
 * its first message, and not when the system does. What is wrong with them is said then.
 */
import type { MaybePromise } from '#message';
import type { LookupResult, Table } from './table.ts';

class LateTable implements Table {
  readonly name: string;
  readonly #opened: () => Table;

  constructor(name: string, opened: () => Table) {
    this.name = name;
    this.#opened = opened;
  }

  get acceptsPartialKeys(): boolean {
    return this.#opened().acceptsPartialKeys;
  }

  get owner(): number | undefined {
    return this.#opened().owner;
  }

  get unavailable(): string | undefined {
    return this.#opened().unavailable;
  }

  lookup(key: string): MaybePromise<LookupResult> {
    return this.#opened().lookup(key);
  }

  entries(): Iterable<readonly [string, string]> {
    return this.#opened().entries?.() ?? [];
  }

  close(): void {
    this.#opened().close?.();
  }
}

export class LateTables {
  /** What opens the tables that wait; undefined once one of them was asked, which opens all. */
  #waiting: (() => void)[] | undefined = [];

  /** The table that `open` gives, now or when it is time. */
  add(name: string, open: () => Table): Table {
    if (this.#waiting === undefined) return open();
    let table: Table | undefined;
    this.#waiting.push(() => {
      table ??= open();
    });
    return new LateTable(name, () => {
      this.#openAll();
      return (table ??= open());
    });
  }

  /** False: none was asked, so there is nothing to close. */
  get areOpen(): boolean {
    return this.#waiting === undefined;
  }

  #openAll(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const open of waiting) open();
  }
}
