/** Tables whose content is in memory: texthash, inline, static, fail, unix. DATABASE_README */
import { readFileSync } from 'node:fs';
import { splitList } from '#config';
import { getUserByName, getGroupByName } from '#native';
import type { LookupResult, Table } from './table.ts';
import { readSourceFile } from './source-lines.ts';

export const missing: LookupResult = { kind: 'missing' };
const found = (value: string): LookupResult => ({ kind: 'found', value });

/** A table over a map; keys are folded as the use demands. */
export function mapTable(name: string, entries: ReadonlyMap<string, string>, foldKeys: boolean): Table {
  return {
    name,
    acceptsPartialKeys: true,
    lookup: (key) => {
      const value = entries.get(foldKeys ? key.toLowerCase() : key);
      return value === undefined ? missing : found(value);
    },
  };
}

/** A table that answers every lookup with an error: what could not be opened fails closed. */
export function failingTable(name: string, reason: string): Table {
  const result: LookupResult = { kind: 'failed', reason };
  return { name, acceptsPartialKeys: true, lookup: () => result };
}

export function staticTable(name: string, text: string): Table {
  const result = found(text.replace(/^\{\s*([^]*?)\s*\}$/, '$1'));
  return { name, acceptsPartialKeys: false, lookup: () => result };
}

/** `inline:{ key=value, { key = long value } }` */
export function inlineTable(name: string, text: string, foldKeys: boolean): Table {
  const inner = /^\{([^]*)\}$/.exec(text)?.[1];
  if (inner === undefined) return failingTable(name, `bad syntax: expected "{name=value...}"`);
  const entries = new Map<string, string>();
  for (const element of splitList(inner)) {
    const pair = element.replace(/^\{\s*([^]*?)\s*\}$/, '$1');
    const at = pair.indexOf('=');
    if (at < 0) return failingTable(name, `missing '=' after attribute name in "${pair}"`);
    const key = pair.slice(0, at).trim();
    entries.set(foldKeys ? key.toLowerCase() : key, pair.slice(at + 1).trim());
  }
  return mapTable(name, entries, foldKeys);
}

/** texthash: the source text, read once. A duplicate key makes the table fail (seen in recordings). */
export function textTable(name: string, path: string, foldKeys: boolean, warn: (text: string) => void): Table {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    return failingTable(name, `open ${path}: ${errnoText(error)}`);
  }
  const { entries, warnings } = readSourceFile(path, content);
  for (const text of warnings) warn(text);
  const map = new Map<string, string>();
  for (const { key, value, line } of entries) {
    const folded = foldKeys ? key.toLowerCase() : key;
    if (map.has(folded)) {
      warn(`${path}, line ${line}: duplicate entry: "${folded}"`);
      return failingTable(name, `duplicate entry: "${folded}"`);
    }
    map.set(folded, value);
  }
  return mapTable(name, map, foldKeys);
}

/** `unix:passwd.byname`, `unix:group.byname`: the lines of passwd(5) and group(5). */
export function unixTable(name: string, map: string): Table {
  const lookup = (key: string): LookupResult => {
    if (map === 'passwd.byname') {
      const user = getUserByName(key);
      return user === undefined
        ? missing
        : found(`${user.name}:*:${user.uid}:${user.gid}:${user.fullName}:${user.home}:${user.shell}`);
    }
    const group = getGroupByName(key);
    return group === undefined ? missing : found(`${group.name}:*:${group.gid}:${group.members.join(',')}`);
  };
  if (map !== 'passwd.byname' && map !== 'group.byname') return failingTable(name, `unknown table "${map}"`);
  return { name, acceptsPartialKeys: true, lookup };
}

const errnoTexts: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  EISDIR: 'Is a directory',
};

/** The C library's words for a file error. */
export function errnoText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? (errnoTexts[error.code] ?? error.message) : error.message;
}
