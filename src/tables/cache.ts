/**
 * Caches that outlive the process: `TYPE:NAME`, as address_verify_map and postscreen_cache_map name them. They are the
 * index files of postmap, changed in place, so that `postmap -s` shows them. `internal:` keeps them in memory.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { createEntries, foreignFormat, headOf, indexPath, isIndexType, openDatabase } from './index-files.ts';
import { errnoText } from './errno-text.ts';
import { type ProxyApproval, proxiedName } from './proxy-approval.ts';

export interface Cache {
  /** `TYPE:NAME`, for log lines. */
  readonly name: string;
  get(key: string): string | undefined;
  set(key: string, value: string): void;
  delete(key: string): void;
  /** The cache may change while it is gone through. */
  entries(): Iterable<readonly [key: string, value: string]>;
  close(): void;
}

/** Entries of an `internal:` cache; the oldest gives way. */
const maxInMemory = 200_000;
const pageEntries = 500;

/** Opens a cache, made when it isn't there. A text says why it can't be used. `approval`: of proxy_write_maps. */
export function openCache(
  spec: string,
  approval: Pick<ProxyApproval, 'refusal'>,
  warn: (text: string) => void,
): Cache | string {
  const name = proxiedName(spec);
  const refusal = name === spec ? undefined : approval.refusal(name, warn);
  if (refusal !== undefined) return refusal;
  const colon = name.indexOf(':');
  const type = name.slice(0, Math.max(0, colon));
  const path = name.slice(colon + 1);
  if (colon < 0 || path === '') return `open dictionary: expecting "type:name" form instead of "${spec}"`;
  if (type === 'internal') return memoryCache(spec);
  if (!isIndexType(type) || type === 'cdb') return `${spec}: a table of type ${type} can't be used as a cache`;
  try {
    return new FileCache(spec, indexPath(type, path), warn);
  } catch (error) {
    return `open database ${indexPath(type, path)}: ${errnoText(error)}`;
  }
}

function memoryCache(name: string): Cache {
  const entries = new Map<string, string>();
  return {
    name,
    get: (key) => entries.get(key),
    set: (key, value) => {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size <= maxInMemory) return;
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        break;
      }
    },
    delete: (key) => void entries.delete(key),
    entries: () => entries,
    close: () => entries.clear(),
  };
}

interface Opened {
  readonly database: DatabaseSync;
  readonly select: StatementSync;
  readonly replace: StatementSync;
  readonly remove: StatementSync;
  readonly page: StatementSync;
}

/** Older generations of the process may use the same file: SQLite's locks keep the peace. */
class FileCache implements Cache {
  readonly name: string;
  readonly #file: string;
  readonly #warn: (text: string) => void;
  #opened: Opened;

  constructor(name: string, file: string, warn: (text: string) => void) {
    this.name = name;
    this.#file = file;
    this.#warn = warn;
    this.#opened = this.#open();
  }

  get(key: string): string | undefined {
    const row = this.#run(({ select }) => select.get(key));
    return row === undefined ? undefined : String(row['value']);
  }

  set(key: string, value: string): void {
    this.#run(({ replace }) => replace.run(key, value));
  }

  delete(key: string): void {
    this.#run(({ remove }) => remove.run(key));
  }

  /** Page by page, so that no lock is held in between. */
  *entries(): Iterable<readonly [string, string]> {
    let last = 0;
    for (;;) {
      const after = last;
      const rows = this.#run(({ page }) => page.all(after)) ?? [];
      for (const row of rows) {
        last = Number(row['id']);
        yield [String(row['key']), String(row['value'])];
      }
      if (rows.length < pageEntries) return;
    }
  }

  close(): void {
    this.#opened.database.close();
  }

  /** What fails is as good as not cached; a damaged file is begun anew. */
  #run<T>(work: (opened: Opened) => T): T | undefined {
    try {
      return work(this.#opened);
    } catch (error) {
      this.#warn(`${this.name}: ${errnoText(error)}`);
      if (isDamage(error)) this.#startOver();
      return undefined;
    }
  }

  #startOver(): void {
    try {
      this.#opened.database.close();
      this.#setAside('damaged');
      this.#opened = this.#open();
    } catch (error) {
      this.#warn(`open database ${this.#file}: ${errnoText(error)}`);
    }
  }

  #setAside(why: string): void {
    this.#warn(`${this.#file} is ${why}: it is kept as ${this.#file}.old, and the cache begins empty`);
    renameSync(this.#file, `${this.#file}.old`);
    for (const suffix of ['-wal', '-shm']) rmSync(this.#file + suffix, { force: true });
  }

  #open(): Opened {
    const head = existsSync(this.#file) ? headOf(this.#file) : undefined;
    const foreign = head === undefined || head.length === 0 ? undefined : foreignFormat(head);
    if (foreign !== undefined) this.#setAside(foreign);
    try {
      return this.#prepare();
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#setAside('damaged');
      return this.#prepare();
    }
  }

  #prepare(): Opened {
    const database = openDatabase(this.#file, false);
    try {
      // NORMAL: what a power failure takes is asked again
      database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${createEntries}`);
      return {
        database,
        select: database.prepare('SELECT value FROM entries WHERE key = ?'),
        replace: database.prepare(
          'INSERT INTO entries (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
        ),
        remove: database.prepare('DELETE FROM entries WHERE key = ?'),
        page: database.prepare(`SELECT id, key, value FROM entries WHERE id > ? ORDER BY id LIMIT ${pageEntries}`),
      };
    } catch (error) {
      database.close();
      throw error;
    }
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB */
function isDamage(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error)) return false;
  const primary = Number(error.errcode) & 0xff;
  return primary === 11 || primary === 26;
}
