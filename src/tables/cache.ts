/**
 * Caches that outlive the process: `TYPE:NAME`, as address_verify_map and postscreen_cache_map name them. They are the
 * index files of postmap, changed in place, so that `postmap -s` shows them. `internal:` keeps them in memory.
 */
import { closeSync, existsSync, openSync, renameSync, rmSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { errnoText } from '#native';
import { createEntries } from './index-changes.ts';
import { foreignFormat, headOf, indexPath, isIndexType, openDatabase } from './index-files.ts';
import { brokenCache } from './broken-cache.ts';
import { type CacheSettings, cacheTable, writablePath } from './cache-place.ts';
import { proxiedName } from './proxy-approval.ts';
import { tableTypes } from './table-types.ts';

export interface Cache {
  /** `TYPE:NAME`, for log lines. */
  readonly name: string;
  /** It keeps nothing: `type:name` can't be used as a cache. */
  readonly isBroken?: boolean;
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

export interface CacheLog {
  readonly warn: (text: string) => void;
  /** Told once why a cache can't be used. */
  readonly error: (text: string) => void;
}

/** Opens a cache, made when it isn't there. One that can't be used remembers nothing. */
export function openCache(settings: CacheSettings, { warn, error }: CacheLog): Cache {
  const opened = openNew(settings, warn);
  if (typeof opened !== 'string') return opened;
  error(opened);
  return brokenCache(settings.map, opened, warn);
}

/** The cache, or why it can't be used. */
function openNew(settings: CacheSettings, warn: (text: string) => void): Cache | string {
  const { map: spec, approval } = settings;
  const name = proxiedName(spec);
  const isProxied = name !== spec;
  const refusal = isProxied ? approval.refusal(name, warn) : undefined;
  if (refusal !== undefined) return refusal;
  const { type, name: path } = cacheTable(settings);
  if (type === '' || path === '') return `open dictionary: expecting "type:name" form instead of "${spec}"`;
  if (type === 'internal') return memoryCache(spec);
  if (type === 'fail') return brokenCache(spec, undefined, warn);
  if (!isIndexType(type) || type === 'cdb')
    return tableTypes.includes(type)
      ? `${spec} map requires O_RDONLY access mode`
      : `unsupported dictionary type: ${type}`;
  const file = isProxied ? path : writablePath(path, spec, settings, warn);
  try {
    // SQLite would not say why it can't
    closeSync(openSync(indexPath(type, file), 'a', 0o600));
    return new FileCache(isProxied ? spec : `${type}:${file}`, indexPath(type, file), warn);
  } catch (problem) {
    return `open database ${indexPath(type, file)}: ${errnoText(problem)}`;
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
