/** The application file of Cyrus SASL, `smtpd.conf`: `key: value` lines. SASL_README; options of libsasl */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CyrusConfig {
  /** '' when there is no such file. */
  readonly path: string;
  /** By name in lower case. */
  readonly values: ReadonlyMap<string, string>;
  /** A line is no setting. */
  readonly isBroken: boolean;
}

/** Reads `NAME.conf` from the first directory that has it. */
export function readCyrusConfig(directories: readonly string[], name: string): CyrusConfig {
  for (const directory of directories) {
    const path = join(directory, `${name}.conf`);
    const text = textOf(path);
    if (text !== undefined) return { path, ...parse(text) };
  }
  return { path: '', values: new Map(), isBroken: false };
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // as to libsasl, a file that can't be read is none
    return undefined;
  }
}

function parse(text: string): Omit<CyrusConfig, 'path'> {
  const values = new Map<string, string>();
  for (const line of text.split('\n').map((whole) => whole.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const [, key = '', value = ''] = /^([\w-]+)\s*:\s*(.+)$/.exec(line) ?? [];
    if (key === '') return { values, isBroken: true };
    values.set(key.toLowerCase(), value);
  }
  return { values, isBroken: false };
}
