/**
 * What tables of database clients are told: `name = value` lines of a file of their own, or, for a name that is no
 * path, `NAME_parameter` in main.cf. sqlite_table(5), mysql_table(5), ldap_table(5)
 */
import { ConfigError, parseMainFile, type Settings } from '#config';
import { errnoText } from '#native';
import type { TableFileReader } from './file-reader.ts';

export interface ClientFile {
  /** As messages call it: the path, or the name. */
  readonly name: string;
  /** Before the names of parameters in main.cf; undefined for a file. */
  readonly prefix: string | undefined;
  /** A uid; 0 for main.cf. */
  readonly owner: number;
  /** The value as written: nothing is expanded in a file. */
  get(parameter: string): string | undefined;
}

/** A text says why the file can't be used. */
export function readClientFile(
  name: string,
  settings: Settings,
  files: TableFileReader,
  warn: (text: string) => void,
): ClientFile | string {
  if (!/^[/.]/.test(name)) {
    return { name, prefix: `${name}_`, owner: 0, get: (parameter) => settings.userValue(`${name}_${parameter}`) };
  }
  try {
    const { bytes, owner } = files.text(name);
    const { byName } = parseMainFile(name, bytes.toString(), warn);
    return { name, prefix: undefined, owner, get: (parameter) => byName.get(parameter)?.value };
  } catch (error) {
    return error instanceof ConfigError ? error.message : `open ${name}: ${errnoText(error)}`;
  }
}

/** A number that is not below `least`; a text says what is wrong with it. */
export function readClientNumber(
  file: ClientFile,
  parameter: string,
  standard: number,
  least: number,
): number | string {
  const text = file.get(parameter);
  if (text === undefined || text === '') return standard;
  if (!/^[+-]?\d+$/.test(text)) return `${file.name}: bad numerical configuration: ${parameter} = ${text}`;
  const value = Number(text);
  return value < least ? `${file.name}: invalid ${parameter} parameter value ${value} < ${least}` : value;
}

/** What is said of a parameter that has to have a value. */
export function emptyParameter({ name, prefix }: ClientFile, parameter: string): string {
  const problem = 'bad string length 0 < 1';
  return prefix === undefined ? `${name}: ${problem}: ${parameter} = ` : `${problem}: ${prefix}${parameter} = `;
}
