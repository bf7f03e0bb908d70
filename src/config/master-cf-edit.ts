/** master.cf as lines and entries, so that one entry can be changed and all else stays. postconf(1) -M, -F, -P */
import {
  lacksFields,
  parseEntry,
  type MasterEntryProblem,
  type MasterEntryText,
  type MasterField,
} from './master-cf.ts';
import { splitAssignment } from './main-cf.ts';
import { splitWords, trimSpace } from './words.ts';

/** Where an entry stands: indices into the file's lines, comments between its lines not counted. */
export interface PlacedEntry {
  readonly entry: MasterEntryText;
  readonly lines: readonly number[];
  /** What is wrong with it, in a file that is to be changed: its first two fields are all that counts then. */
  readonly problem?: string;
}

export interface MasterText {
  readonly lines: readonly string[];
  readonly entries: readonly PlacedEntry[];
}

/**
 * Reads the file's text; a text says what is wrong with it. `warn` hears what can be read all the same. `isToChange`: an
 * entry that can't be read may be the one to be mended, and is no obstacle to changes of others.
 */
export function readMasterText(
  path: string,
  content: string,
  warn: (text: string) => void = () => undefined,
  isToChange = false,
): MasterText | string {
  const lines = content.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const groups: number[][] = [];
  for (const [index, line] of lines.entries()) {
    if (/^[ \t-\r]*(?:#|$)/.test(line)) continue;
    const last = groups.at(-1);
    if (!/^[ \t-\r]/.test(line)) groups.push([index]);
    else if (last === undefined) warn(`${path}: logical line must not start with whitespace: "${line}"`);
    else last.push(index);
  }
  const entries: PlacedEntry[] = [];
  for (const group of groups) {
    const text = group.map((index) => lines[index] ?? '').join('');
    const first = (group[0] ?? 0) + 1;
    const last = (group.at(-1) ?? 0) + 1;
    const entry = parseEntry(text, first);
    if (!('problem' in entry)) {
      entries.push({ entry: normalised(entry, warn), lines: group });
      continue;
    }
    const problem = lacksFields(entry) ? `file ${path}: line ${last}: ${entry.problem}` : entry.problem;
    if (!isToChange) return problem;
    const named = namedEntry(text, first);
    if (named === undefined) return `file ${path}: line ${first}: specify service name and type on the same line`;
    entries.push({ entry: named, lines: group, problem });
  }
  return { lines, entries };
}

/** What can be had of an entry that is wrong; undefined without a name and a type. */
function namedEntry(text: string, line: number): MasterEntryText | undefined {
  const [service, type] = splitWords(text);
  if (service === undefined || type === undefined) return undefined;
  const rest = { private: '', unprivileged: '', chroot: '', wakeup: '', process_limit: '', command: '' };
  return { fields: { service, type, ...rest }, args: [], line };
}

/** Without the braces around it; `warn` hears of one that is not closed. */
function unbraced(word: string, warn: (text: string) => void): string {
  if (!word.startsWith('{')) return word;
  if (!word.endsWith('}')) warn(`master.cf: missing '}' in "${word}"`);
  return trimSpace(word.slice(1, word.endsWith('}') ? -1 : undefined));
}

/** Braces where a word would fall apart without. */
const rebraced = (text: string): string => (/[ \t-\r]/.test(text) ? `{${text}}` : text);

/** `{ name = value }` becomes `name=value`, in braces when the value has white space. */
function normalisedSetting(word: string, warn: (text: string) => void): string {
  const text = unbraced(word, warn);
  const cut = splitAssignment(text);
  if (typeof cut === 'string') warn(`master.cf: ${cut}`);
  return rebraced(typeof cut === 'string' ? text : `${cut.name}=${cut.value}`);
}

/** `-vo name=value` becomes `-v -o name=value`, and braces stand only around what has white space. */
function normalised(entry: MasterEntryText, warn: (text: string) => void = () => undefined): MasterEntryText {
  const args: string[] = [];
  const given = [...entry.args];
  for (let word = given.shift(); word !== undefined; word = given.shift()) {
    if (!word.startsWith('-') || word === '-' || word === '--') {
      const rest = [word, ...given];
      return { ...entry, args: [...args, ...rest.map((each) => rebraced(unbraced(each, warn)))] };
    }
    const at = word.indexOf('o', 1);
    if (at > 1) args.push(word.slice(0, at));
    args.push(at < 0 ? word : '-o');
    const value = at < 0 ? undefined : at + 1 < word.length ? word.slice(at + 1) : given.shift();
    if (value === undefined) continue;
    args.push(value.startsWith('{') ? normalisedSetting(value, warn) : value);
  }
  return { ...entry, args };
}

/** An entry of one logical line, or what is wrong with it. */
export function entryOf(text: string): MasterEntryText | MasterEntryProblem {
  const entry = parseEntry(text, 0);
  return 'problem' in entry ? entry : normalised(entry);
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

/** How many of the arguments are options and their values. */
function optionCount({ args }: MasterEntryText): number {
  let count = 0;
  for (let arg = args[0]; arg?.startsWith('-') === true && arg !== '-' && arg !== '--'; arg = args[count]) {
    count += arg === '-o' ? 2 : 1;
  }
  return Math.min(count, args.length);
}

/** The arguments in groups that stay on one line when folded: `-o name=value`, or a word. */
export function argumentGroups(entry: MasterEntryText): readonly string[] {
  const options = optionCount(entry);
  const groups: string[] = [];
  for (const [i, arg] of entry.args.entries()) {
    const isValue = i < options && entry.args[i - 1] === '-o';
    if (isValue) groups[groups.length - 1] = `-o ${arg}`;
    else groups.push(arg);
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

interface OptionSetting {
  readonly name: string;
  readonly value: string;
  /** Of the `-o`. */
  readonly index: number;
}

/** `-o` settings of an entry, in order. */
export function parametersOf(entry: MasterEntryText): readonly OptionSetting[] {
  return entry.args.slice(0, optionCount(entry)).flatMap((arg, i, options) => {
    if (options[i - 1] !== '-o') return [];
    const cut = splitAssignment(arg.replace(/^\{([^]*)\}$/, '$1'));
    return typeof cut === 'string' ? [] : [{ ...cut, index: i - 1 }];
  });
}

/** The entry with its arguments changed by `change`; a setting that gets blanks in it gets braces, too. */
export function withArguments(entry: MasterEntryText, change: (text: string) => string): MasterEntryText {
  const options = optionCount(entry);
  const changed = (arg: string): string => {
    const text = change(arg);
    return /\s/.test(text) && !arg.startsWith('{') ? `{${text}}` : text;
  };
  return { ...entry, args: entry.args.map((arg, i) => (i < options ? changed(arg) : arg)) };
}

/** The entry with a `-o name=value` set, replaced, or (undefined) removed. */
export function withParameter(entry: MasterEntryText, name: string, value: string | undefined): MasterEntryText {
  const pair = value === undefined ? [] : ['-o', `${name}=${value}`];
  const args = [...entry.args];
  const found = parametersOf(entry).filter((setting) => setting.name === name);
  for (const { index } of found.toReversed()) args.splice(index, 2, ...pair);
  if (found.length === 0) args.splice(optionCount(entry), 0, ...pair);
  return { ...entry, args };
}

/** What becomes of an entry's lines. */
export type EntryChange =
  /** Other lines where the entry began; those of a comment between its lines stay where they are. */
  | { readonly kind: 'replace'; readonly entries: ReadonlyMap<PlacedEntry, readonly string[]> }
  /** As before, but comments and blank lines up to the next entry come first: they may be about this entry. */
  | { readonly kind: 'rewrite'; readonly entries: ReadonlyMap<PlacedEntry, readonly string[]> }
  | { readonly kind: 'comment'; readonly entries: ReadonlySet<PlacedEntry> };

/** Where the lines of an entry, and the comments and blank lines after them, end. */
function endOf(text: MasterText, placed: PlacedEntry): number {
  const next = text.lines.findIndex((line, index) => index > (placed.lines[0] ?? 0) && /^[^ \t-\r#]/.test(line));
  return next < 0 ? text.lines.length : next;
}

/** The file's text after a change, with lines appended. */
export function editMasterText(text: MasterText, change: EntryChange, appended: readonly string[] = []): string {
  const lines: (readonly string[])[] = text.lines.map((line) => [line]);
  for (const placed of change.entries.keys()) {
    for (const index of placed.lines) lines[index] = change.kind === 'comment' ? [`#${text.lines[index] ?? ''}`] : [];
    if (change.kind === 'comment') continue;
    const at = change.kind === 'replace' ? (placed.lines[0] ?? 0) : endOf(text, placed) - 1;
    lines[at] = [...(lines[at] ?? []), ...(change.entries.get(placed) ?? [])];
  }
  return [...lines.flat(), ...appended, ''].join('\n');
}
