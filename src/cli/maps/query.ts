/** Questions to tables: `postmap -q`, `-s`. */
import type { Table, TableOpener } from '#tables';
import type { CliIo } from '../io.ts';
import { linesOf } from './input.ts';
import { FatalError, type MapCommandKind } from './kind.ts';

export interface QueryOptions {
  readonly kind: MapCommandKind;
  readonly opener: TableOpener;
  readonly maps: readonly string[];
  readonly flags: ReadonlySet<string>;
  readonly io: CliIo;
  readonly warn: (text: string) => void;
}

function openOrFail(options: QueryOptions, map: string): Table {
  const table = options.opener.open(map, { foldKeys: !options.flags.has('f') });
  if (table.unavailable !== undefined) throw new FatalError(table.unavailable);
  return table;
}

/** The files' contents that `-F` put in. */
function decode(value: string, key: string, table: Table): Buffer {
  const bytes = Buffer.from(value, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== value.replace(/=+$/, '')) {
    throw new FatalError(`table ${table.name}: key ${key}: malformed BASE64 value: ${value.slice(0, 30)}`);
  }
  return bytes;
}

async function ask(table: Table, key: string, options: QueryOptions): Promise<string | Buffer | undefined> {
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
      return options.flags.has('F') ? decode(answer.value, key, table) : answer.value;
  }
}

/** `-j`: one object a line. */
function jsonLine(key: string, value: string): string {
  return `{${JSON.stringify(key)}: ${JSON.stringify(value)}}\n`;
}

/** One key: the value in the first table that has it. */
export async function queryKey(options: QueryOptions, key: string): Promise<boolean> {
  for (const map of options.maps) {
    const value = await ask(openOrFail(options, map), key, options);
    if (value === undefined) continue;
    options.io.stdout(options.flags.has('j') ? jsonLine(key, String(value)) : value);
    if (!options.flags.has('j')) options.io.stdout('\n');
    return true;
  }
  return false;
}

/** Asks all tables in turn and prints key and value of the first that has it. */
export async function queryAndPrint(options: QueryOptions, key: string): Promise<boolean> {
  for (const map of options.maps) {
    const value = await ask(openOrFail(options, map), key, options);
    if (value === undefined) continue;
    const text = String(value);
    options.io.stdout(options.flags.has('j') ? jsonLine(key, text) : `${key}${options.kind.separator}${text}\n`);
    return true;
  }
  return false;
}

/** `-q -`: a key a line. */
export async function queryLines(options: QueryOptions): Promise<boolean> {
  let found = false;
  for await (const key of linesOf(options.io.stdin)) found = (await queryAndPrint(options, key)) || found;
  return found;
}

/** `-s`: everything in the tables. */
export function listMaps(options: QueryOptions): void {
  for (const map of options.maps) {
    const table = openOrFail(options, map);
    if (table.entries === undefined) {
      throw new FatalError(`table ${table.name}: sequence operation is not supported`);
    }
    for (const [key, value] of table.entries()) {
      const text = options.flags.has('F') ? String(decode(value, key, table)) : value;
      options.io.stdout(options.flags.has('j') ? jsonLine(key, text) : `${key}${options.kind.separator}${text}\n`);
    }
  }
}
