/** Tables whose content is in memory or in the environment: texthash, inline, static, fail, environ. DATABASE_README */
import { foldCase } from '#address';
import { splitList } from '#config';
import { errnoText } from '#native';
import { insideOf } from './braces.ts';
import type { TableFileReader } from './file-reader.ts';
import type { OwnedFile } from './owned-file.ts';
import type { LookupResult, Table } from './table.ts';
import { readMapSource } from './source-lines.ts';

export const missing: LookupResult = { kind: 'missing' };
export const found = (value: string): LookupResult => ({ kind: 'found', value });

/** A table over a map; keys are folded as the use demands. `owner`: see `Table`. */
export function mapTable(
  name: string,
  entries: ReadonlyMap<string, string>,
  foldKeys: boolean,
  owner: number | undefined,
): Table {
  return {
    name,
    owner,
    acceptsPartialKeys: true,
    lookup: (key) => {
      const value = entries.get(foldKeys ? foldCase(key) : key);
      return value === undefined ? missing : found(value);
    },
    entries: () => entries,
  };
}

/** `fail:` tables: every lookup is an error. */
export function failingTable(name: string, reason: string): Table {
  const result: LookupResult = { kind: 'failed', reason };
  return { name, acceptsPartialKeys: true, lookup: () => result };
}

/** A table that could not be opened: every lookup is an error, and says why. What is broken fails closed. */
export function unavailableTable(name: string, reason: string, warn: (text: string) => void): Table {
  const result: LookupResult = { kind: 'failed', reason };
  return {
    name,
    acceptsPartialKeys: true,
    unavailable: reason,
    lookup: () => {
      warn(`${name} is unavailable. ${reason}`);
      return result;
    },
  };
}

/** `static:text`, `static:{ text }`. A text says what is wrong. */
export function staticTable(name: string, text: string): Table | string {
  const inside = text.startsWith('{') ? insideOf(text) : { inner: text };
  if (typeof inside === 'string') return `bad static:name syntax: ${inside}`;
  const result = found(inside.inner);
  return { name, owner: 0, acceptsPartialKeys: false, lookup: () => result };
}

/** `key = value`: within quotes a key may hold anything, and a backslash protects one character. Both stay in the key. */
function splitPair(text: string): { readonly key: string; readonly value: string } | string {
  if (text === '') return 'no key found; expected format: key = value';
  const [key = ''] = /^(?:\\[^]|"(?:\\[^]|[^"\\])*"|[^\s="\\])*/.exec(text) ?? [];
  const rest = text.slice(key.length);
  if (rest.startsWith('"')) return `unbalanced '"'`;
  const value = /^\s*=([^]*)$/.exec(rest)?.[1];
  return value === undefined ? "missing '=' after attribute name" : { key, value: value.trim() };
}

/** `inline:{ key=value, { key = long value } }`; a text says what is wrong. */
export function inlineTable(name: string, text: string, foldKeys: boolean): Table | string {
  const wanted = 'need "inline:{name=value...}"';
  const whole = insideOf(text);
  if (typeof whole === 'string' || text === '{}') return `bad syntax: "${name}"; ${wanted}`;
  const elements = splitList(whole.inner);
  if (elements.length === 0) return `empty table: "${name}"; ${wanted}`;
  const entries = new Map<string, string>();
  for (const element of elements) {
    const inside = element.startsWith('{') ? insideOf(element) : { inner: element };
    if (typeof inside === 'string') return `${inside}: "${name}"; ${wanted}`;
    const pair = splitPair(inside.inner.trim());
    if (typeof pair === 'string') return `${pair}: "${name}"; ${wanted}`;
    entries.set(foldKeys ? foldCase(pair.key) : pair.key, pair.value);
  }
  return mapTable(name, entries, foldKeys, 0);
}

/**
 * `texthash:`: the source text, read once. A key that comes twice makes the table unusable for mail (seen in
 * recordings); commands only warn. A text says why it can't be opened.
 */
export function textTable(
  name: string,
  path: string,
  foldKeys: boolean,
  allowsDuplicates: boolean,
  files: TableFileReader,
  warn: (text: string) => void,
): Table | string {
  let file: OwnedFile;
  try {
    file = files.text(path);
  } catch (error) {
    const isDirectory = error instanceof Error && 'code' in error && error.code === 'EISDIR';
    return `${isDirectory ? 'read' : 'open database'} ${path}: ${errnoText(error)}`;
  }
  const map = new Map<string, string>();
  for (const item of readMapSource(path, file.bytes)) {
    if (item.kind === 'warning') {
      // what postmap says of other lines has these words already
      warn(item.text.endsWith('key whitespace value') ? `${item.text} -- ignoring this line` : item.text);
      continue;
    }
    const key = foldKeys ? foldCase(item.key) : item.key;
    if (!map.has(key)) map.set(key, item.value);
    else {
      const problem = `${path}, line ${item.line}: duplicate entry: "${item.key}"`;
      if (!allowsDuplicates) return problem;
      warn(problem);
    }
  }
  return mapTable(name, map, foldKeys, file.owner);
}

/** Variables of the environment. */
export function environmentTable(name: string, foldKeys: boolean): Table {
  return {
    name,
    owner: 0,
    acceptsPartialKeys: true,
    lookup: (key) => {
      const value = process.env[foldKeys ? foldCase(key) : key];
      return value === undefined ? missing : found(value);
    },
  };
}
