/** Making and changing index files: `postmap NAME`, `-i`, `-d`. */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, rmSync, type Stats, statSync } from 'node:fs';
import { errnoText } from '#native';
import {
  changeIndex,
  type FileRights,
  type IndexChanges,
  indexPath,
  type IndexType,
  isIndexType,
  isTableType,
  type SourceItem,
  writeIndex,
} from '#tables';
import type { CliIo } from '../io.ts';
import { linesOf, readAll } from './input.ts';
import { readFileValue } from './file-values.ts';
import { foldedKey } from './keys.ts';
import { FatalError, type MapCommandKind } from './kind.ts';

/** One map of the command line, and how it is asked for. */
export interface MapTarget {
  readonly kind: MapCommandKind;
  readonly myhostname: string;
  readonly type: string;
  readonly path: string;
  readonly flags: ReadonlySet<string>;
  /** As in `QueryOptions`. */
  readonly isUtf8: boolean;
  readonly io: CliIo;
  readonly warn: (text: string) => void;
}

function fatal(what: string, error: unknown): never {
  throw new FatalError(`${what}: ${errnoText(error)}`);
}

/** Contents of the files that a value names, as one base64 text (`-F`); undefined after a warning. */
function fileContents(value: string, place: string, { warn }: MapTarget): string | undefined {
  const read = readFileValue(value);
  if (read.kind === 'read') return read.contents.toString('base64');
  warn(`${place}: ${read.problem}: skipping this entry`);
  return undefined;
}

/** How warnings of entries call an index. */
function entryPlace({ type, path }: MapTarget): string {
  if (type === 'lmdb') return `lmdb:${path}`;
  return type === 'cdb' || !isIndexType(type) ? path : indexPath(type, path);
}

/** Puts the items of a source in; tells of what can't be put in. */
function addItems(
  items: readonly SourceItem[],
  source: string,
  target: MapTarget,
  changes: Pick<IndexChanges, 'add' | 'replace'>,
): void {
  for (const item of items) {
    if (item.kind === 'warning') {
      target.warn(item.text);
      continue;
    }
    const key = foldedKey(item.key, target.flags, target.isUtf8);
    const value = target.flags.has('F') ? fileContents(item.value, `${source}, line ${item.line}`, target) : item.value;
    if (value === undefined) continue;
    if (target.flags.has('r')) changes.replace(key, value);
    else if (!changes.add(key, value) && !target.flags.has('w'))
      target.warn(`${entryPlace(target)}: duplicate entry: "${key}"`);
  }
}

function requireIndexType({ type }: MapTarget): IndexType {
  if (isIndexType(type)) return type;
  throw new FatalError(
    isTableType(type) ? `no 'map create' support for this type: ${type}` : `unsupported dictionary type: ${type}`,
  );
}

/**
 * A file that is there keeps its rights. A new one is readable for whom its source is, unless `-p`. What is always made
 * anew, cdb, is always new.
 */
function rightsOf({ flags, path }: MapTarget, type: IndexType, source?: Pick<Stats, 'mode'>): FileRights {
  const present = type === 'cdb' ? undefined : statSync(indexPath(type, path), { throwIfNoEntry: false });
  const isRoot = process.geteuid?.() === 0;
  if (present !== undefined) {
    const { mode, uid, gid } = present;
    if (isRoot) return { mode: mode & 0o777, owner: { uid, gid } };
    // only root can give a file to another user, but its group may be one of ours
    const ownUid = process.geteuid?.();
    const isOurGroup = process.getgroups?.().includes(gid) === true;
    return { mode: mode & 0o777, owner: ownUid !== undefined && isOurGroup ? { uid: ownUid, gid } : undefined };
  }
  // as in Postfix the umask of who runs it doesn't count
  return { mode: source === undefined || flags.has('p') ? 0o644 : source.mode & 0o777, owner: undefined };
}

/** Tells of a file that can't be written before anything is said of what should go into it. */
function requireWritable(file: string, opening: string): void {
  const isThere = existsSync(file);
  const tried = isThere ? file : `${file}.tmp.${process.pid}`;
  try {
    closeSync(openSync(tried, isThere ? 'r+' : 'wx', 0o600));
    if (!isThere) rmSync(tried);
  } catch (error) {
    fatal(opening, error);
  }
}

/** What fails where a file can't be made or written; hash and btree know which of the two it was. */
function openingOf(type: IndexType, path: string): string {
  const file = indexPath(type, path);
  if (type === 'cdb') return `open database ${file}.tmp`;
  return type !== 'lmdb' && existsSync(file) ? `open ${file}` : `open database ${file}`;
}

/** Makes the index anew from its source: root does it as who owns the source, unless `-o`. */
export function createMap(target: MapTarget): void {
  const { path, io, flags } = target;
  if (target.type === 'proxy') throw new FatalError("can't create maps via the proxy service");
  let source: Source;
  try {
    source = contentAndOwner(path);
  } catch (error) {
    fatal(`open ${path}`, error);
  }
  if (io.uid === 0 && !flags.has('o')) asUser(source.stats, () => makeIndex(target, source));
  else makeIndex(target, source);
}

interface Source {
  readonly content: Buffer;
  readonly stats: Stats;
}

/** Of one file: whoever owns what has that name now must not get what another one holds. */
function contentAndOwner(path: string): Source {
  const fd = openSync(path, 'r');
  try {
    return { content: readFileSync(fd), stats: fstatSync(fd) };
  } finally {
    closeSync(fd);
  }
}

/** Does something with the rights of another user, and only those. */
function asUser({ uid, gid }: { readonly uid: number; readonly gid: number }, action: () => void): void {
  const groups = process.getgroups?.() ?? [];
  const own = process.getegid?.() ?? 0;
  process.setgroups?.([gid]);
  process.setegid?.(gid);
  process.seteuid?.(uid);
  try {
    action();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(own);
    process.setgroups?.(groups);
  }
}

/** A table that fails: it is made of nothing, and takes nothing. */
function makeNothing(items: readonly SourceItem[], { kind, path, myhostname, warn }: MapTarget): void {
  for (const item of items) {
    if (item.kind !== 'warning') throw failing(path);
    warn(item.text);
  }
  if (kind.ownEntries(myhostname).length > 0) throw failing(path);
}

const failing = (path: string): FatalError => new FatalError(`table fail:${path}: write error: Application error`);

function makeIndex(target: MapTarget, { content, stats }: Source): void {
  const { kind, path } = target;
  const items = kind.readSource(path, content);
  if (target.type === 'fail') {
    makeNothing(items, target);
    return;
  }
  const type = requireIndexType(target);
  const file = indexPath(type, path);
  requireWritable(file, openingOf(type, path));
  const entries = new Map<string, string>();
  const changes = {
    add: (key: string, value: string): boolean => {
      if (entries.has(key)) return false;
      entries.set(key, value);
      return true;
    },
    replace: (key: string, value: string): void => void entries.set(key, value),
  };
  addItems(items, path, target, changes);
  for (const [key, value] of kind.ownEntries(target.myhostname)) changes.add(key, value);
  try {
    writeIndex(type, path, entries, rightsOf(target, type, stats));
  } catch (error) {
    fatal(openingOf(type, path), error);
  }
}

function changing<T>(target: MapTarget, mayBeNew: boolean, change: (changes: IndexChanges) => T): T {
  const type = requireIndexType(target);
  if (type === 'cdb') throw new FatalError('unsupported non-bulk change request');
  try {
    const changed = changeIndex(
      type,
      target.path,
      { rights: rightsOf(target, type, statSync(target.path, { throwIfNoEntry: false })), mayBeNew },
      change,
    );
    if (typeof changed === 'string') throw new FatalError(changed);
    return changed.result;
  } catch (error) {
    if (error instanceof FatalError) throw error;
    return fatal(`open database ${indexPath(type, target.path)}`, error);
  }
}

/** Adds the entries of standard input; the index is made if there is none. */
export async function addToMap(target: MapTarget): Promise<void> {
  if (target.type === 'fail') throw failing(target.path);
  const type = requireIndexType(target);
  const file = indexPath(type, target.path);
  requireWritable(file, openingOf(type, target.path));
  const items = target.kind.readSource('stdin', await readAll(target.io.stdin));
  changing(target, true, (changes) => addItems(items, 'stdin', target, changes));
}

/** Removes keys; says whether any was there. */
export async function deleteFromMap(target: MapTarget, key: string): Promise<boolean> {
  if (target.type === 'fail') throw new FatalError(`table fail:${target.path}: delete error: Application error`);
  if (target.type === 'static' || target.type === 'environ')
    throw new FatalError(`table ${target.type}:${target.path}: delete operation is not supported`);
  // it is empty when the command begins
  if (target.type === 'internal') return false;
  if (!isIndexType(target.type) && isTableType(target.type)) {
    throw new FatalError(`${target.type}:${target.path} map requires O_RDONLY access mode`);
  }
  const keys: string[] = [];
  if (key === '-') for await (const line of linesOf(target.io.stdin)) keys.push(line);
  else keys.push(key);
  if (isIndexType(target.type) && target.type !== 'cdb') {
    const file = indexPath(target.type, target.path);
    if (existsSync(file)) requireWritable(file, `open database ${file}`);
  }
  return changing(
    target,
    false,
    (changes) =>
      keys.map((one) => changes.remove(foldedKey(one, target.flags, target.isUtf8))).filter((removed) => removed)
        .length > 0,
  );
}
