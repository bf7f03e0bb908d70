/** Questions to tables: `postmap -q`, `-s`. */
import { bytesOf } from '#message';
import { indexPath, isIndexType, namesFiles, type Table, type TableOpener } from '#tables';
import type { CliIo } from '../io.ts';
import { linesOf } from './input.ts';
import { printableUtf8 } from '../printable.ts';
import { readFileValue } from './file-values.ts';
import { foldedKey, isMalformed } from './keys.ts';
import { FatalError, type MapCommandKind } from './kind.ts';

export interface QueryOptions {
  readonly kind: MapCommandKind;
  readonly opener: TableOpener;
  readonly maps: readonly string[];
  readonly defaultType: string;
  readonly flags: ReadonlySet<string>;
  /** Keys have to be UTF-8: smtputf8_enable, unless -u. */
  readonly isUtf8: boolean;
  readonly io: CliIo;
  readonly warn: (text: string) => void;
}

function openOrFail(options: QueryOptions, given: string): Table {
  const { flags } = options;
  const map = given.includes(':') ? given : `${options.defaultType}:${given}`;
  const table = options.opener.open(map, { foldKeys: !flags.has('f') && options.isUtf8, anyBytes: !options.isUtf8 });
  if (table.unavailable !== undefined) throw new FatalError(table.unavailable);
  return table;
}

/** What -F makes of a value; undefined after a warning. */
function fileValue(value: string, key: string, table: Table, { warn }: QueryOptions): Buffer | undefined {
  if (!namesFiles(table.name)) {
    const contents = decode(value);
    if (contents === undefined)
      warn(`table ${fileNameOf(table)}: key ${key}: malformed BASE64 value: ${value.slice(0, 30)}`);
    return contents;
  }
  const read = readFileValue(value);
  if (read.kind === 'read') return read.contents;
  const { name } = table;
  if (name.startsWith('inline:')) throw new FatalError(`${read.problem}: "${name}"; need "inline:{name=filename...}"`);
  if (name.startsWith('static:')) throw new FatalError(read.problem);
  warn(`${name}: ${read.problem}: skipping this entry`);
  return undefined;
}

/** The files' contents that `-F` put in; undefined when that can't be. RFC 4648, 4 */
function decode(value: string): Buffer | undefined {
  const isBase64 = value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
  return isBase64 ? Buffer.from(value, 'base64') : undefined;
}

/** How messages call a table: an index by the name of its file. */
function fileNameOf({ name }: Table): string {
  const colon = name.indexOf(':');
  const type = name.slice(0, colon);
  return isIndexType(type) ? `${type}:${indexPath(type, name.slice(colon + 1))}` : name;
}

/** What a question with -F gets; where an index holds no contents, nobody can go on. */
function contentsOf(value: string, key: string, table: Table, options: QueryOptions): Buffer | undefined {
  const contents = fileValue(value, key, table, options);
  if (contents !== undefined || namesFiles(table.name)) return contents;
  throw new FatalError(`table ${fileNameOf(table)}: query error`);
}

async function ask(table: Table, asked: string, options: QueryOptions): Promise<string | Buffer | undefined> {
  if (options.isUtf8 && isMalformed(asked)) {
    const shown = printableUtf8(asked);
    options.warn(`${fileNameOf(table)}: non-UTF-8 key "${shown}": malformed UTF-8 or invalid codepoint`);
    return undefined;
  }
  // patterns see the key as it is
  const key = !options.isUtf8 && table.acceptsPartialKeys ? foldedKey(asked, options.flags, false) : asked;
  const answer = await table.lookup(key);
  switch (answer.kind) {
    case 'missing':
      return undefined;
    case 'failed':
      throw new FatalError(`table ${table.name}: query error${answer.reason === '' ? '' : `: ${answer.reason}`}`);
    case 'found':
      if (answer.value === '') {
        options.warn(`table ${table.name}: key ${key}: empty string result is not allowed`);
        options.warn(`table ${table.name} should return NO RESULT in case of NOT FOUND`);
      }
      return options.flags.has('F') ? contentsOf(answer.value, key, table, options) : answer.value;
  }
}

/** `-j`: one object a line. */
function jsonLine(key: string, value: string): string {
  return `{${JSON.stringify(key)}: ${JSON.stringify(value)}}\n`;
}

/** Key and value, as they stand in a source; with `-j` as an object. */
function entryLine(key: string, value: string | Buffer, { flags, kind }: QueryOptions): string {
  return flags.has('j') ? jsonLine(key, String(value)) : `${key}${kind.separator}${String(value)}\n`;
}

/** The value in the first table that has one. */
async function firstValue(options: QueryOptions, key: string): Promise<string | Buffer | undefined> {
  for (const map of options.maps) {
    const value = await ask(openOrFail(options, map), key, options);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** `-q KEY`: prints the value alone, with `-F` byte for byte. False where there is none. */
export async function queryKey(options: QueryOptions, key: string): Promise<boolean> {
  const value = await firstValue(options, key);
  if (value === undefined) return false;
  options.io.stdout(options.flags.has('j') ? jsonLine(key, String(value)) : value);
  if (!options.flags.has('j')) options.io.stdout('\n');
  return true;
}

/** Prints key and value. False where there is none. */
export async function queryAndPrint(options: QueryOptions, key: string): Promise<boolean> {
  const value = await firstValue(options, key);
  if (value === undefined) return false;
  options.io.stdout(bytesOf(entryLine(key, value, options)));
  return true;
}

/** `-q -`: a key a line. */
export async function queryLines(options: QueryOptions): Promise<boolean> {
  let found = false;
  for await (const key of linesOf(options.io.stdin)) found = (await queryAndPrint(options, key)) || found;
  return found;
}

/** `-s`: everything in the first table; others are not looked at. False where none is named. */
export function listMap(options: QueryOptions): boolean {
  const [map] = options.maps;
  if (map === undefined) return false;
  const table = openOrFail(options, map);
  if (map.startsWith('fail:')) throw new FatalError(`table ${table.name}: sequence error: Application error`);
  // the reader of cdb files in Postfix only looks keys up
  if (table.entries === undefined || map.startsWith('cdb:')) {
    throw new FatalError(`table ${fileNameOf(table)}: sequence operation is not supported`);
  }
  for (const [key, value] of table.entries()) {
    const shown = options.flags.has('F') ? fileValue(value, key, table, options) : value;
    if (shown === undefined) continue;
    options.io.stdout(entryLine(key, shown, options));
  }
  return true;
}
