/** aliases(5) files: `name: value, value…`. postalias(1) */
import { readLogicalLines } from '#config';
import type { SourceEntry, SourceFile } from './source-lines.ts';

/** Index of the colon that ends the name: outside quotes and comments. */
function nameEnd(text: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charAt(i);
    if (char === '\\') i += 1;
    else if (char === '"') {
      const end = text.slice(i + 1).search(/(?<!\\)"/);
      if (end < 0) return -1;
      i += end + 1;
    } else if (char === '(') depth += 1;
    else if (char === ')') depth -= 1;
    else if (char === ':' && depth <= 0) return i;
  }
  return -1;
}

function aliasName(text: string): string {
  const name = text.replaceAll(/\([^)]*\)/g, '').trim();
  return name.startsWith('"') ? name.replaceAll(/^"|"$/g, '').replaceAll(/\\(.)/g, '$1') : name;
}

/** Parses an alias file. Keys are lower-cased by the writer. */
export function readAliasFile(path: string, content: string): SourceFile {
  const { lines, strays } = readLogicalLines(content);
  const warnings = strays.map(({ line }) => `${path}, line ${line}: logical line must not start with whitespace`);
  const entries: SourceEntry[] = [];
  for (const { text, line } of lines) {
    const colon = nameEnd(text);
    const key = colon < 0 ? '' : aliasName(text.slice(0, colon));
    const value = colon < 0 ? '' : text.slice(colon + 1).trim();
    if (key === '' || value === '') warnings.push(`${path}, line ${line}: expected format: alias: value`);
    else entries.push({ key, value, line });
  }
  return { entries, warnings };
}
