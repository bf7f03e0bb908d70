/** master.cf as data: services with their fields, arguments and overrides. master(5) */
import { type LinePiece, readLogicalLines, strayLineWarning } from './logical-lines.ts';
import { splitAssignment } from './main-cf.ts';
import { placeOfService } from './place.ts';
import { ConfigError, type ServiceEntry } from './settings.ts';
import { splitWords, unbraced } from './words.ts';

const types = ['inet', 'unix', 'unix-dgram', 'fifo', 'pass'] as const;
export const masterFields = [
  'service',
  'type',
  'private',
  'unprivileged',
  'chroot',
  'wakeup',
  'process_limit',
  'command',
] as const;
export type MasterField = (typeof masterFields)[number];

/** The eight fields of an entry and its arguments, as written. */
export interface MasterEntryText {
  readonly fields: Readonly<Record<MasterField, string>>;
  readonly args: readonly string[];
  readonly line: number;
}

interface FieldRule {
  readonly pattern: RegExp;
  readonly expected: string;
}

const switchRule: FieldRule = { pattern: /^[-yn]$/, expected: 'y, n or -' };
const fieldRules: Partial<Record<MasterField, FieldRule>> = {
  type: { pattern: new RegExp(`^(?:${types.join('|')})$`), expected: `one of ${types.join(', ')}` },
  private: switchRule,
  unprivileged: switchRule,
  chroot: switchRule,
  wakeup: { pattern: /^(?:-|\d+\??)$/, expected: 'a number of seconds, with or without a ?, or -' },
  process_limit: { pattern: /^(?:-|\d+)$/, expected: 'a whole number or -' },
};

/** What is wrong with a field; undefined when it is fine. */
export function fieldProblem(field: MasterField, value: string): string | undefined {
  return fieldRules[field]?.pattern.test(value) === false ? `invalid ${field} field "${value}"` : undefined;
}

/** An entry that can't be read: as Postfix says it, and what to do. */
export interface MasterEntryProblem {
  readonly problem: string;
  readonly remedy: string;
}

const badFieldCount: MasterEntryProblem = {
  problem: 'bad field count',
  remedy: `write ${masterFields.join(' ')}; a line that goes on with the entry before it begins with white space`,
};

/** Whether there are too few fields for an entry. */
export function lacksFields(entry: MasterEntryProblem): boolean {
  return entry === badFieldCount;
}

/** Splits one logical line, or says what is wrong. */
export function parseEntry(text: string, line: number): MasterEntryText | MasterEntryProblem {
  const words = splitWords(text);
  const [service, type, isPrivate, unprivileged, chroot, wakeup, limit, command, ...args] = words;
  if (
    service === undefined ||
    type === undefined ||
    isPrivate === undefined ||
    unprivileged === undefined ||
    chroot === undefined ||
    wakeup === undefined ||
    limit === undefined ||
    command === undefined
  ) {
    return badFieldCount;
  }
  const fields = { service, type, private: isPrivate, unprivileged, chroot, wakeup, process_limit: limit, command };
  for (const name of masterFields) {
    const problem = fieldProblem(name, fields[name]);
    if (problem === undefined) continue;
    return { problem: `${problem} in "${words.join(' ')}"`, remedy: `write ${fieldRules[name]?.expected ?? ''}` };
  }
  return { fields, args, line };
}

/** Options that every program of master.cf takes; only `-o` has an effect here. */
const optionWord = /^-[cdDlSuvVz]*(?:(?<letter>[^])(?<value>[^]*))?$/;
const optionsWithValue = 'imnorst';

const isOption = (word: string): boolean => word.startsWith('-') && word !== '-';

/** Reads one word of options: `-v`, `-oname=value`, `-vo`. A value may be the next of the words `left`. Says what is wrong. */
function readOptions(word: string, left: string[], overrides: Map<string, string>): string | undefined {
  const { letter, value: joined } = optionWord.exec(word)?.groups ?? {};
  if (letter === undefined) return undefined;
  if (!optionsWithValue.includes(letter)) {
    return `invalid option "-${letter}"; write settings as -o name=value, or -o { name = value }`;
  }
  const value = joined === '' ? left.shift() : joined;
  if (value === undefined) return `option "-${letter}" without a value; write -o name=value`;
  if (letter !== 'o') return undefined;
  const cut = splitAssignment(unbraced(value));
  if (typeof cut === 'string') return `-o ${value}: ${cut}; write -o name=value, or -o { name = value }`;
  // the last one set is the last of the map
  overrides.delete(cut.name);
  overrides.set(cut.name, cut.value);
  return undefined;
}

/** `-o name=value` and `-o { name = value }` out of an argument list, and what follows the options. */
export function splitOverrides(words: readonly string[]): {
  readonly overrides: ReadonlyMap<string, string>;
  readonly args: readonly string[];
  readonly problem?: string;
} {
  const overrides = new Map<string, string>();
  const args = [...words];
  while (args[0] !== undefined && isOption(unbraced(args[0]))) {
    const word = unbraced(args.shift() ?? '');
    if (word === '--') break;
    const problem = readOptions(word, args, overrides);
    if (problem !== undefined) return { overrides, args, problem };
  }
  return { overrides, args };
}

function typeOf(text: string): ServiceEntry['type'] {
  return types.find((type) => type === text) ?? 'unix';
}

export interface MasterFile {
  readonly services: readonly ServiceEntry[];
  readonly warnings: readonly string[];
}

/** What fields of `-` stand for. */
interface EntryDefaults {
  readonly chroot: boolean;
  readonly processLimit: number;
  readonly isLimitChosen: boolean;
}

function toService(entry: MasterEntryText, path: string, defaults: EntryDefaults): ServiceEntry {
  const { fields } = entry;
  const { overrides, args, problem } = splitOverrides(entry.args);
  const type = typeOf(fields.type);
  const origin = { file: path, line: entry.line };
  if (problem !== undefined) {
    throw new ConfigError([`${placeOfService({ origin, name: fields.service, type })}${problem}`]);
  }
  const hasOwnLimit = fields.process_limit !== '-';
  if (type === 'inet' && fields.private === 'y') {
    throw new ConfigError([
      `${path}, line ${entry.line}: ${fields.service}: an inet service cannot be private; write "n"`,
    ]);
  }
  return {
    name: fields.service,
    type,
    isPrivate: type !== 'inet' && fields.private !== 'n',
    isUnprivileged: fields.unprivileged !== 'n',
    isChrooted: fields.chroot === '-' ? defaults.chroot : fields.chroot === 'y',
    wakeupSeconds: fields.wakeup === '-' ? 0 : Number.parseInt(fields.wakeup, 10),
    wakeupOnDemand: fields.wakeup.endsWith('?'),
    processLimit: hasOwnLimit ? Number(fields.process_limit) : defaults.processLimit,
    isLimitChosen: hasOwnLimit || defaults.isLimitChosen,
    command: fields.command,
    args,
    overrides,
    origin,
  };
}

/** Where each override stands: the last line that sets it, as the last one counts. */
function linesOf(names: Iterable<string>, pieces: readonly LinePiece[]): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  for (const name of names) {
    const setsIt = (text: string): boolean =>
      text.split(name).some((before, i, parts) => {
        const after = parts[i + 1];
        return after !== undefined && /(?:^|-o|[\s{])$/.test(before) && /^\s*=/.test(after);
      });
    const piece = pieces.findLast(({ text }) => setsIt(text));
    if (piece !== undefined) lines.set(name, piece.line);
  }
  return lines;
}

/** Parses master.cf text; a later entry with the same name and type replaces an earlier one. Throws ConfigError. */
export function parseMasterFile(path: string, content: string, defaults: EntryDefaults): MasterFile {
  const { lines, stray } = readLogicalLines(content);
  const warnings = stray === undefined ? [] : [strayLineWarning(path, stray)];
  const byKey = new Map<string, ServiceEntry>();
  for (const { text, line, pieces } of lines) {
    const entry = parseEntry(text, line);
    if ('problem' in entry) throw new ConfigError([`${path}, line ${line}: ${entry.problem}; ${entry.remedy}`]);
    const service = toService(entry, path, defaults);
    const key = `${service.name}/${service.type}`;
    if (byKey.has(key)) {
      const name = `"${service.name}" (${service.name})`;
      warnings.push(`${path}, line ${line}: duplicate master.cf entry for service ${name} -- using the last entry`);
    }
    byKey.set(key, {
      ...service,
      overrideLines: linesOf(service.overrides.keys(), pieces),
    });
  }
  return { services: [...byKey.values()], warnings };
}
