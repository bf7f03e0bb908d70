/** Making and changing index files: `postmap NAME`, `-i`, `-d`. */
import { readFileSync, statSync } from 'node:fs';
import { foldCase } from '#address';
import {
  changeIndex,
  errnoText,
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
import { FatalError, type MapCommandKind } from './kind.ts';

/** One map of the command line, and how it is asked for. */
export interface MapTarget {
  readonly kind: MapCommandKind;
  readonly myhostname: string;
  readonly type: string;
  readonly path: string;
  readonly flags: ReadonlySet<string>;
  readonly io: CliIo;
  readonly warn: (text: string) => void;
}

const keyOf = (key: string, { flags }: MapTarget): string => (flags.has('f') ? key : foldCase(key));

function fatal(what: string, error: unknown): never {
  throw new FatalError(`${what}: ${errnoText(error)}`);
}

/** Contents of the files that a value names, as one base64 text (`-F`); undefined after a warning. */
function fileContents(value: string, place: string, target: MapTarget): string | undefined {
  const contents: string[] = [];
  for (const path of value.split(/[,\s]+/).filter((word) => word !== '')) {
    try {
      contents.push(readFileSync(path, 'latin1'));
    } catch (error) {
      target.warn(`${place}: open ${path}: ${errnoText(error)}: skipping this entry`);
      return undefined;
    }
  }
  return Buffer.from(contents.join('\n'), 'latin1').toString('base64');
}

/** Puts the items of a source in; tells of what can't be put in. */
function addItems(
  items: readonly SourceItem[],
  source: string,
  target: MapTarget,
  changes: Pick<IndexChanges, 'add' | 'replace'>,
  file: string,
): void {
  for (const item of items) {
    if (item.kind === 'warning') {
      target.warn(item.text);
      continue;
    }
    const key = keyOf(item.key, target);
    const value = target.flags.has('F') ? fileContents(item.value, `${source}, line ${item.line}`, target) : item.value;
    if (value === undefined) continue;
    if (target.flags.has('r')) changes.replace(key, value);
    else if (!changes.add(key, value) && !target.flags.has('w')) target.warn(`${file}: duplicate entry: "${key}"`);
  }
}

function requireIndexType({ type }: MapTarget): IndexType {
  if (isIndexType(type)) return type;
  throw new FatalError(
    isTableType(type) ? `no 'map create' support for this type: ${type}` : `unsupported dictionary type: ${type}`,
  );
}

/**
 * A file that is there keeps its rights. A new one is readable for whom its source is, unless `-p`; and belongs to its
 * owner, unless `-o`. What is always made anew, cdb, is always new.
 */
function rightsOf(target: MapTarget, type: IndexType): FileRights {
  const { flags, path, io } = target;
  const present = type === 'cdb' ? undefined : statSync(indexPath(type, path), { throwIfNoEntry: false });
  if (present !== undefined) {
    const { mode, uid, gid } = present;
    return { mode: mode & 0o777, owner: io.uid === 0 ? { uid, gid } : undefined };
  }
  const mask = process.umask();
  const source = statSync(path, { throwIfNoEntry: false });
  if (source === undefined) return { mode: 0o666 & ~mask, owner: undefined };
  return {
    mode: flags.has('p') ? 0o666 & ~mask : source.mode & 0o777,
    owner: io.uid === 0 && !flags.has('o') && source.uid !== 0 ? { uid: source.uid, gid: source.gid } : undefined,
  };
}

/** Makes the index anew from its source. */
export function createMap(target: MapTarget): void {
  const { kind, path } = target;
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch (error) {
    fatal(`open ${path}`, error);
  }
  const type = requireIndexType(target);
  const file = indexPath(type, path);
  const entries = new Map<string, string>();
  const changes = {
    add: (key: string, value: string): boolean => {
      if (entries.has(key)) return false;
      entries.set(key, value);
      return true;
    },
    replace: (key: string, value: string): void => void entries.set(key, value),
  };
  addItems(kind.readSource(path, content), path, target, changes, file);
  for (const [key, value] of kind.ownEntries(target.myhostname)) changes.add(key, value);
  try {
    writeIndex(type, path, entries, rightsOf(target, type));
  } catch (error) {
    fatal(`open database ${file}`, error);
  }
}

function changing<T>(target: MapTarget, change: (changes: IndexChanges) => T): T {
  const type = requireIndexType(target);
  if (type === 'cdb') throw new FatalError('unsupported non-bulk change request');
  try {
    const changed = changeIndex(type, target.path, change);
    if (typeof changed === 'string') throw new FatalError(changed);
    return changed.result;
  } catch (error) {
    if (error instanceof FatalError) throw error;
    return fatal(`open database ${indexPath(type, target.path)}`, error);
  }
}

/** Adds the entries of standard input; the index is made if there is none. */
export async function addToMap(target: MapTarget): Promise<void> {
  const type = requireIndexType(target);
  const file = indexPath(type, target.path);
  const items = target.kind.readSource('stdin', await readAll(target.io.stdin));
  if (type !== 'cdb' && statSync(file, { throwIfNoEntry: false }) === undefined) {
    try {
      writeIndex(type, target.path, new Map(), rightsOf(target, type));
    } catch (error) {
      fatal(`open database ${file}`, error);
    }
  }
  changing(target, (changes) => addItems(items, 'stdin', target, changes, file));
}

/** Removes keys; says whether any was there. */
export async function deleteFromMap(target: MapTarget, key: string): Promise<boolean> {
  if (target.type === 'fail') throw new FatalError(`table fail:${target.path}: delete error: Application error`);
  if (!isIndexType(target.type) && isTableType(target.type)) {
    throw new FatalError(`${target.type}:${target.path} map requires O_RDONLY access mode`);
  }
  const keys: string[] = [];
  if (key === '-') for await (const line of linesOf(target.io.stdin)) keys.push(line);
  else keys.push(key);
  return changing(
    target,
    (changes) => keys.map((one) => changes.remove(keyOf(one, target))).filter((removed) => removed).length > 0,
  );
}
