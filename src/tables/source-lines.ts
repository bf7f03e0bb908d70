/** The text files that tables are made from: `key whitespace value`. postmap(1) */
import { readLogicalLines } from '#config';

export interface SourceEntry {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

export interface SourceFile {
  readonly entries: readonly SourceEntry[];
  readonly warnings: readonly string[];
}

/** `"quoted key"` with backslash escapes, or all up to white space. */
function splitEntry(text: string): { readonly key: string; readonly value: string } | undefined {
  const quoted = /^"((?:[^"\\]|\\.)*)"\s+(\S[^]*)$/.exec(text);
  if (quoted !== null) return { key: (quoted[1] ?? '').replaceAll(/\\(.)/g, '$1'), value: quoted[2] ?? '' };
  const plain = /^(\S+)\s+(\S[^]*)$/.exec(text);
  return plain === null ? undefined : { key: plain[1] ?? '', value: plain[2] ?? '' };
}

/** Parses a postmap source file; what can't be read is a warning with file and line. */
export function readSourceFile(path: string, content: string): SourceFile {
  const { lines, strays } = readLogicalLines(content);
  const warnings = strays.map(({ line }) => `${path}, line ${line}: logical line must not start with whitespace`);
  const entries: SourceEntry[] = [];
  for (const { text, line } of lines) {
    const entry = splitEntry(text.trim());
    if (entry === undefined) {
      warnings.push(`${path}, line ${line}: expected format: key whitespace value`);
      continue;
    }
    if (entry.key.endsWith(':')) {
      warnings.push(`${path}, line ${line}: record is in "key: value" format; is this an alias file?`);
    }
    entries.push({ ...entry, line });
  }
  return { entries, warnings };
}
