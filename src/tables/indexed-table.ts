/** `hash:`, `btree:`, `lmdb:` and `cdb:` tables: an index file, read again when it has changed. */
import { statSync } from 'node:fs';
import { foldCase } from '#address';
import { errnoText } from '#native';
import { missing } from './memory-table.ts';
import { isDenied, type TableFileReader } from './file-reader.ts';
import { type Index, indexPath, type IndexType } from './index-files.ts';
import type { LookupResult, Table } from './table.ts';

/** How long an answer may be given without a look at the file. */
const recheckMs = 50;
/** A source being edited just now is not worth a warning. */
const sourceRestsMs = 100_000;

export interface IndexedTableOptions {
  readonly name: string;
  readonly type: IndexType;
  /** Of its source. */
  readonly path: string;
  readonly foldKeys: boolean;
  readonly files: TableFileReader;
  readonly warn: (text: string) => void;
}

interface Opened {
  readonly index: Index;
  readonly version: string;
}

/** Changes with the file; a file in a folder of root's own can't be seen, and stays what it is. */
function versionOf(file: string): { readonly version: string; readonly mtimeMs: number } {
  try {
    const { mtimeMs, ino, size } = statSync(file);
    return { version: `${ino} ${mtimeMs} ${size}`, mtimeMs };
  } catch (error) {
    if (!isDenied(error)) throw error;
    return { version: 'hidden', mtimeMs: Infinity };
  }
}

class IndexedTable implements Table {
  readonly name: string;
  readonly acceptsPartialKeys = true;
  readonly #type: IndexType;
  readonly #path: string;
  readonly #file: string;
  readonly #foldKeys: boolean;
  readonly #files: TableFileReader;
  readonly #warn: (text: string) => void;
  #opened: Opened | undefined;
  #problem: string | undefined;
  #checkedAt = Number.NEGATIVE_INFINITY;

  constructor({ name, type, path, foldKeys, files, warn }: IndexedTableOptions) {
    this.name = name;
    this.#type = type;
    this.#path = path;
    this.#file = indexPath(type, path);
    this.#foldKeys = foldKeys;
    this.#files = files;
    this.#warn = warn;
    this.#refresh();
  }

  get unavailable(): string | undefined {
    return this.#opened === undefined ? this.#problem : undefined;
  }

  get owner(): number | undefined {
    return this.#opened?.index.owner;
  }

  lookup(key: string): LookupResult {
    if (performance.now() - this.#checkedAt >= recheckMs) this.#refresh();
    if (this.#opened === undefined) {
      const reason = this.#problem ?? `open database ${this.#file}`;
      this.#warn(`${this.name} is unavailable. ${reason}`);
      return { kind: 'failed', reason };
    }
    try {
      const value = this.#opened.index.get(this.#foldKeys ? foldCase(key) : key);
      return value === undefined ? missing : { kind: 'found', value };
    } catch (error) {
      return { kind: 'failed', reason: errnoText(error) };
    }
  }

  entries(): Iterable<readonly [string, string]> {
    return this.#opened?.index.entries() ?? [];
  }

  close(): void {
    this.#opened?.index.close();
    this.#opened = undefined;
  }

  /** Opens the file if it isn't the one that was opened before; one that is gone or broken leaves the old answers. */
  #refresh(): void {
    this.#checkedAt = performance.now();
    try {
      const { version, mtimeMs } = versionOf(this.#file);
      if (this.#opened?.version === version) return;
      const index = this.#files.index(this.#type, this.#path);
      if (typeof index === 'string') {
        this.#problem = index;
        return;
      }
      this.#opened?.index.close();
      this.#opened = { index, version };
      this.#problem = undefined;
      this.#warnIfOlder(mtimeMs);
    } catch (error) {
      this.#problem = `open database ${this.#file}: ${errnoText(error)}`;
    }
  }

  #warnIfOlder(mtimeMs: number): void {
    if (mtimeMs === Infinity) return;
    const source = statSync(this.#path, { throwIfNoEntry: false });
    if (source !== undefined && source.mtimeMs > mtimeMs && source.mtimeMs < performance.now() - sourceRestsMs) {
      this.#warn(`database ${this.#file} is older than source file ${this.#path}`);
    }
  }
}

/** A table over the index of `path`; the same text with other `foldKeys` is another table. */
export function indexedTable(options: IndexedTableOptions): Table {
  return new IndexedTable(options);
}
