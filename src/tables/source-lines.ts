/** The text files that tables are made from: `key whitespace value`. postmap(1) */
import { isUtf8 } from 'node:buffer';
import { readLogicalLines, strayLineWarning, trimSpace } from '#config';

/** What a source file gives, in the order of its lines. */
export type SourceItem =
  | { readonly kind: 'entry'; readonly key: string; readonly value: string; readonly line: number }
  | { readonly kind: 'warning'; readonly text: string };

/** One logical line of a source file, made an item by the rules of its kind. */
export type LineReader = (text: string, place: string, line: number) => readonly SourceItem[];

/** Reads the logical lines of a source; lines that can't be entries are warnings with file and line. */
export function readSource(path: string, content: Uint8Array, read: LineReader): readonly SourceItem[] {
  const allUtf8 = isUtf8(content);
  // Bytes of other character sets are told line by line, so they are kept apart until then.
  const { lines, stray } = readLogicalLines(Buffer.from(content).toString(allUtf8 ? 'utf8' : 'latin1'));
  const warnings: readonly SourceItem[] =
    stray === undefined ? [] : [{ kind: 'warning', text: strayLineWarning(path, stray) }];
  const items = lines.flatMap(({ text, line }): readonly SourceItem[] => {
    const place = `${path}, line ${line}`;
    const upToNul = text.split('\0', 1).join('');
    if (allUtf8) return read(upToNul, place, line);
    const bytes = Buffer.from(upToNul, 'latin1');
    return isUtf8(bytes)
      ? read(bytes.toString('utf8'), place, line)
      : [
          {
            kind: 'warning',
            text: `${place}: non-UTF-8 input "${bytes.toString('utf8').replaceAll('\u{FFFD}', '?')}" -- ignoring this line`,
          },
        ];
  });
  return [...warnings, ...items];
}

/** Where the key ends: at the first white space outside double quotes; undefined when they are not closed. */
function keyEnd(text: string): number | undefined {
  let isQuoted = false;
  let at = 0;
  for (; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '\\') at += 1;
    else if (char === '"') isQuoted = !isQuoted;
    else if (!isQuoted && /[ \t-\r]/.test(char)) break;
  }
  return isQuoted ? undefined : Math.min(at, text.length);
}

/** `key whitespace value`; a quoted key keeps its quotes, as addresses do in lookups. */
const readMapLine: LineReader = (line, place, number) => {
  const text = trimSpace(line);
  const end = keyEnd(text);
  if (end === undefined) {
    return [{ kind: 'warning', text: `${place}: unbalanced '"' in '${text}' -- ignoring this line` }];
  }
  const key = text.slice(0, end);
  const value = trimSpace(text.slice(end));
  if (value === '') return [{ kind: 'warning', text: `${place}: expected format: key whitespace value` }];
  const entry: SourceItem = { kind: 'entry', key, value, line: number };
  return key.endsWith(':')
    ? [{ kind: 'warning', text: `${place}: record is in "key: value" format; is this an alias file?` }, entry]
    : [entry];
};

/** The entries of a postmap source. */
export function readMapSource(path: string, content: Uint8Array): readonly SourceItem[] {
  return readSource(path, content, readMapLine);
}
