/** Whether the files behind a table are there, without opening it: told at the start, before mail comes. DATABASE_README */
import { accessSync, constants, statSync } from 'node:fs';
import { type Settings, splitList } from '#config';
import { errnoText } from '#native';
import { insideBraces } from './braces.ts';
import type { TableFile } from './file-reader.ts';
import { foreignFormat, headOf, indexPath, isIndexType } from './index-files.ts';
import { redirectedTable } from './redirection.ts';
import type { TableName } from './table-name.ts';

export interface TableFileProblem {
  /** `type:name` as written, without `proxy:` and the like. */
  readonly table: string;
  /** As the log will have it. */
  readonly reason: string;
  readonly remedy: string;
}

const fileTypes: ReadonlySet<string> = new Set(['texthash', 'regexp', 'pcre', 'cidr', 'sqlite']);
const wrappers: ReadonlySet<string> = new Set(['proxy', 'debug']);
const combined: ReadonlySet<string> = new Set(['pipemap', 'unionmap']);

/** The tables behind `proxy:`, `pipemap:` and the like. */
function leavesOf(spec: string, settings: Settings): readonly TableName[] {
  const { type, name } = redirectedTable(spec, settings, () => undefined);
  if (wrappers.has(type)) return leavesOf(name, settings);
  if (combined.has(type)) return splitList(insideBraces(name) ?? '').flatMap((inner) => leavesOf(inner, settings));
  return [{ type, name }];
}

/** `{ … }` holds the rules themselves. */
function isText({ type, name }: TableName): boolean {
  return fileTypes.has(type) && !name.startsWith('{');
}

/** The files that `spec` is read from. */
export function tableFilesOf(spec: string, settings: Settings): readonly TableFile[] {
  return leavesOf(spec, settings).flatMap((leaf): readonly TableFile[] => {
    const { type, name } = leaf;
    if (isIndexType(type)) return [{ kind: 'index', type, path: name }];
    return isText(leaf) ? [{ kind: 'text', path: name }] : [];
  });
}

/** Files that `spec` needs and that are missing or not to be used; none for a table without files. `maker` makes an index. */
export function tableFileProblems(
  spec: string,
  settings: Settings,
  maker: 'postmap' | 'postalias',
): readonly TableFileProblem[] {
  return leavesOf(spec, settings).flatMap((leaf): readonly TableFileProblem[] => {
    const { type, name } = leaf;
    const table = `${type}:${name}`;
    if (name === '' && (isIndexType(type) || fileTypes.has(type))) {
      const reason = `open dictionary: expecting "type:name" form instead of "${table}"`;
      return [{ table, reason, remedy: `write a name after "${table}"` }];
    }
    if (isIndexType(type)) return indexProblem(table, indexPath(type, name), name, maker);
    const reason = isText(leaf) ? unreadable(name) : undefined;
    return reason === undefined ? [] : [{ table, reason: `open ${name}: ${reason}`, remedy: `make ${name}` }];
  });
}

/** Why a file can't be read. */
export function unreadable(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK);
    return undefined;
  } catch (error) {
    return errnoText(error);
  }
}

function indexProblem(table: string, file: string, source: string, maker: string): readonly TableFileProblem[] {
  const make = `run "${maker} ${table}"`;
  const remedy = isThere(source) ? make : `make ${source}, then ${make}`;
  const reason = unreadable(file);
  if (reason !== undefined) return [{ table, reason: `open database ${file}: ${reason}`, remedy }];
  const foreign = table.startsWith('cdb:') ? undefined : foreignFormat(headOf(file));
  return foreign === undefined ? [] : [{ table, reason: `${file} is ${foreign}`, remedy }];
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
