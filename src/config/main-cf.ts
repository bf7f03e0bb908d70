/** main.cf as data: names, values, where they stand. postconf(5) */
import { type LinePiece, readLogicalLines, strayLineWarning } from './logical-lines.ts';
import { ConfigError } from './settings.ts';
import { trimSpace } from './words.ts';

export interface MainEntry {
  readonly name: string;
  /** Text after `=`, trimmed, continuation lines joined as they stand. */
  readonly value: string;
  readonly line: number;
  /** The value's parts with their lines. */
  readonly pieces: readonly LinePiece[];
}

export interface MainFile {
  readonly path: string;
  /** In file order; a later entry of a name replaces an earlier one. */
  readonly entries: readonly MainEntry[];
  readonly byName: ReadonlyMap<string, MainEntry>;
  readonly warnings: readonly string[];
}

/** Cuts `name = value`; a text says what is wrong with it. */
export function splitAssignment(text: string): { readonly name: string; readonly value: string } | string {
  const at = text.indexOf('=');
  const name = trimSpace(at < 0 ? text : text.slice(0, at));
  if (trimSpace(text) === '') return `missing attribute name: "${text}"`;
  if (at < 0 || /[ \t-\r]/.test(name)) return `missing '=' after attribute name: "${text}"`;
  if (name === '') return `missing attribute name: "${text}"`;
  return { name, value: trimSpace(text.slice(at + 1)) };
}

/**
 * Parses main.cf text. Throws ConfigError with file and line for what is no assignment; `warn` hears the warnings
 * before that.
 */
export function parseMainFile(path: string, content: string, warn: (text: string) => void = () => undefined): MainFile {
  const { lines, stray } = readLogicalLines(content);
  const warnings: string[] = [];
  const tell = (text: string): void => {
    warnings.push(text);
    warn(text);
  };
  if (stray !== undefined) tell(strayLineWarning(path, stray));
  const entries: MainEntry[] = [];
  const byName = new Map<string, MainEntry>();
  for (const { text, line, pieces } of lines) {
    const cut = splitAssignment(text);
    if (typeof cut === 'string') throw new ConfigError([`${path}, line ${line}: ${cut}`]);
    const [first, ...more] = pieces;
    const valuePieces =
      first === undefined ? [] : [{ text: first.text.slice(first.text.indexOf('=') + 1), line: first.line }, ...more];
    const entry = { name: cut.name, value: cut.value, line, pieces: valuePieces };
    const earlier = byName.get(entry.name);
    if (earlier !== undefined && earlier.value !== entry.value) {
      tell(`${path}, line ${line}: overriding earlier entry: ${entry.name}=${earlier.value}`);
    }
    entries.push(entry);
    byName.set(entry.name, entry);
  }
  return { path, entries, byName, warnings };
}
