/** master.cf as lines and entries, so that one entry can be changed and all else stays. postconf(1) -M, -F, -P */
import { parseEntry, type MasterEntryText, type MasterField } from './master-cf.ts';
import { splitWords } from './words.ts';

/** Where an entry stands: indices into the file's lines, comments between its lines not counted. */
export interface PlacedEntry {
  readonly entry: MasterEntryText;
  readonly lines: readonly number[];
}

export interface MasterText {
  readonly lines: readonly string[];
  readonly entries: readonly PlacedEntry[];
}

/** Reads the file's text; a text says what is wrong with it. */
export function readMasterText(path: string, content: string): MasterText | string {
  const lines = content.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const groups: number[][] = [];
  for (const [index, line] of lines.entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    if (/^\s/.test(line)) groups.at(-1)?.push(index);
    else groups.push([index]);
  }
  const entries: PlacedEntry[] = [];
  for (const group of groups) {
    const text = group.map((index) => lines[index] ?? '').join('');
    const last = (group.at(-1) ?? 0) + 1;
    const entry = parseEntry(text, (group[0] ?? 0) + 1);
    if (entry === 'bad field count') return `file ${path}: line ${last}: ${entry}`;
    if (typeof entry === 'string') return entry;
    entries.push({ entry: normalised(entry), lines: group });
  }
  return { lines, entries };
}

/** `{ name = value }` after -o becomes `{name=value}`; other braces lose their outer white space. */
function normalised(entry: MasterEntryText): MasterEntryText {
  const args = entry.args.flatMap((arg) => {
    if (/^-o./.test(arg)) return ['-o', arg.slice(2)];
    return [arg];
  });
  return {
    ...entry,
    args: args.map((arg, i) => {
      const inner = /^\{\s*([^]*?)\s*\}$/.exec(arg)?.[1];
      if (inner === undefined) return arg;
      const text = args[i - 1] === '-o' ? inner.replace(/\s*=\s*/, '=') : inner;
      return args[i - 1] === '-o' && !/\s/.test(text) ? text : `{${text}}`;
    }),
  };
}

/** An entry of one logical line; a text says what is wrong. */
export function entryOf(text: string): MasterEntryText | string {
  const entry = parseEntry(text, 0);
  return typeof entry === 'string' ? entry : normalised(entry);
}

/** Where each field begins, at the least. */
const columns: readonly (readonly [MasterField, number])[] = [
  ['service', 0],
  ['type', 11],
  ['private', 17],
  ['unprivileged', 25],
  ['chroot', 33],
  ['wakeup', 41],
  ['process_limit', 49],
  ['command', 57],
];

/** The columns before the arguments. A field too wide for its column takes the blanks of those after it. */
export function formatFields({ fields }: MasterEntryText): string {
  let line = '';
  for (const [name, column] of columns) {
    if (line !== '') line = `${line} `.padEnd(column);
    line += fields[name];
  }
  return line;
}

/** The arguments in groups that stay on one line when folded: `-o name=value`, or a word. */
export function argumentGroups({ args }: MasterEntryText): readonly string[] {
  const groups: string[] = [];
  for (let i = 0; i < args.length; i += 1) {
    const arg = args[i] ?? '';
    if (arg === '-o' && i + 1 < args.length) {
      i += 1;
      groups.push(`-o ${args[i] ?? ''}`);
    } else groups.push(arg);
  }
  return groups;
}

/** The command field as `-F` shows it: program and arguments. */
export function commandText(entry: MasterEntryText): string {
  return [entry.fields.command, ...entry.args].join(' ');
}

/** The entry with another value in one field; `command` takes the arguments, too. */
export function withField(entry: MasterEntryText, field: MasterField, value: string): MasterEntryText {
  if (field !== 'command') return { ...entry, fields: { ...entry.fields, [field]: value } };
  const [command = '', ...args] = splitWords(value);
  return normalised({ ...entry, fields: { ...entry.fields, command }, args });
}

/** `-o` settings of an entry, in order. */
export function parametersOf({ args }: MasterEntryText): readonly { readonly name: string; readonly value: string }[] {
  return args.flatMap((arg, i) => {
    if (args[i - 1] !== '-o') return [];
    const text = arg.replace(/^\{([^]*)\}$/, '$1');
    const at = text.indexOf('=');
    return at < 0 ? [] : [{ name: text.slice(0, at).trim(), value: text.slice(at + 1).trim() }];
  });
}

/** The entry with a `-o name=value` set, replaced, or (undefined) removed. */
export function withParameter(entry: MasterEntryText, name: string, value: string | undefined): MasterEntryText {
  const pair = value === undefined ? [] : ['-o', `${name}=${value}`];
  const at = entry.args.findIndex(
    (arg, i) => entry.args[i - 1] === '-o' && arg.replace(/^\{/, '').split('=')[0]?.trim() === name,
  );
  if (at < 0) {
    const behind = entry.args.lastIndexOf('-o') + 2;
    const options = entry.args.includes('-o') ? behind : 0;
    return { ...entry, args: [...entry.args.slice(0, options), ...pair, ...entry.args.slice(options)] };
  }
  return { ...entry, args: [...entry.args.slice(0, at - 1), ...pair, ...entry.args.slice(at + 1)] };
}

/** What becomes of an entry's lines. */
export type EntryChange =
  | { readonly kind: 'replace'; readonly entries: ReadonlyMap<PlacedEntry, readonly string[]> }
  | { readonly kind: 'comment'; readonly entries: ReadonlySet<PlacedEntry> };

/** The file's text after a change, with lines appended. */
export function editMasterText(text: MasterText, change: EntryChange, appended: readonly string[] = []): string {
  const lines: (readonly string[])[] = text.lines.map((line) => [line]);
  for (const placed of change.entries.keys()) {
    for (const [order, index] of placed.lines.entries()) {
      const kept = change.kind === 'comment' ? [`#${text.lines[index] ?? ''}`] : [];
      const first = change.kind === 'replace' && order === 0 ? (change.entries.get(placed) ?? []) : kept;
      lines[index] = first;
    }
  }
  return [...lines.flat(), ...appended, ''].join('\n');
}
