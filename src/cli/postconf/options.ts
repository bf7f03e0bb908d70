/** The options of postconf(1), checked for what excludes what. */
import { type GivenOption, lastValue, parseOptions } from '../getopt.ts';

export type Mode =
  | 'main'
  | 'serverSasl'
  | 'clientSasl'
  | 'expandedTemplates'
  | 'templates'
  | 'locks'
  | 'tableTypes'
  | 'entries'
  | 'fields'
  | 'entryParameters'
  | 'tlsInfo';

export type ChangeKind = 'edit' | 'drop' | 'comment';

export interface PostconfOptions {
  readonly mode: Mode;
  readonly directory: string | undefined;
  readonly classText: string | undefined;
  readonly overrides: readonly string[];
  readonly showsDefaults: boolean;
  readonly onlySet: boolean;
  readonly change: ChangeKind | undefined;
  readonly folds: boolean;
  readonly hidesNames: boolean;
  readonly hidesValues: boolean;
  readonly asJson: boolean;
  readonly expands: boolean;
  readonly isQuiet: boolean;
  readonly withDefaults: boolean;
  readonly tlsTopic: string;
  readonly operands: readonly string[];
}

const usage =
  'usage: postconf [-a (server SASL types)] [-A (client SASL types)] [-b (bounce templates)] [-c config_dir] ' +
  '[-c param_class] [-d (parameter defaults)] [-e (edit configuration)] [-f (fold lines)] [-F (master.cf fields)] ' +
  '[-h (no names)] [-H (no values)] [-j (streaming JSON) ] [-l (lock types)] [-m (map types)] [-M (master.cf)] ' +
  '[-n (non-default parameters)] [-o name=value (override parameter value)] [-p (main.cf, default)] ' +
  '[-P (master.cf parameters)] [-t (bounce templates)] [-T compile-version|run-version|public-key-algorithms] ' +
  '[-v (verbose)] [-x (expand parameter values)] [-X (exclude)] [-# (comment-out)] [name...]';

const modes: Readonly<Record<string, Mode>> = {
  a: 'serverSasl',
  A: 'clientSasl',
  b: 'expandedTemplates',
  F: 'fields',
  l: 'locks',
  m: 'tableTypes',
  M: 'entries',
  p: 'main',
  P: 'entryParameters',
  t: 'templates',
  T: 'tlsInfo',
};
const changes = { e: 'edit', X: 'drop', '#': 'comment' } as const;
type ChangeLetter = keyof typeof changes;
const isChange = (letter: string): letter is ChangeLetter => letter in changes;

/** Letters in the order messages list them. */
const letterOrder = 'aAbCdefFhHjlmMnopPtTxX#';
/** Letters that exclude each other. */
const exclusive: readonly string[] = ['aAbFlmMpPtT', 'denX#', 'efX#', 'exX#', 'deoX#', 'ehHX#', 'ejX#'];
/** What changes how main.cf is shown or written. */
const modifiers = 'defhHjnoxX#';
/** Letters that mean nothing beside a mode's. */
const foreign: Readonly<Record<string, string>> = {
  ...Object.fromEntries('aAblmtT'.split('').map((letter) => [letter, modifiers])),
  F: 'dnX#',
  M: 'dhHn',
  P: 'dn#',
};

const inOrder = (letters: ReadonlySet<string>, group: string): readonly string[] =>
  letterOrder
    .split('')
    .filter((letter) => group.includes(letter) && letters.has(letter))
    .map((letter) => `-${letter}`);

function conflict(letters: ReadonlySet<string>): string | undefined {
  for (const group of exclusive) {
    const given = inOrder(letters, group);
    if (given.length > 1) return `specify one of ${given.join(', ')}`;
  }
  for (const letter of letterOrder) {
    const given = letters.has(letter) ? inOrder(letters, foreign[letter] ?? '') : [];
    if (given.length > 0) return `with option -${letter}, do not specify ${given.join(', ')}`;
  }
  return undefined;
}

const modesThatChange: ReadonlySet<Mode> = new Set(['main', 'entries', 'fields', 'entryParameters']);

/** Letters as if written: a first operand with `=` asks for a change. */
function givenLetters(options: readonly GivenOption[], mode: Mode, operands: readonly string[]): ReadonlySet<string> {
  const letters = options.map(({ letter }) => (letter === 'E' ? 'e' : letter));
  return new Set(modesThatChange.has(mode) && operands[0]?.includes('=') === true ? [...letters, 'e'] : letters);
}

function missingOperand(change: ChangeKind | undefined, operands: readonly string[]): string | undefined {
  if (change === undefined || operands.length > 0) return undefined;
  return change === 'edit' ? '-e requires name=value argument' : 'missing service argument';
}

/** Reads the command line; a problem says what to print (`lines` before the fatal one). */
export function parsePostconf(
  args: readonly string[],
): PostconfOptions | { readonly lines: readonly string[]; readonly fatal: string } {
  const parsed = parseOptions(args, 'aAbc:C:deEfFhHjlmMno:pPqtT:vxX#');
  if (parsed.kind === 'invalid') return { lines: [parsed.problem], fatal: usage };
  const { options, operands } = parsed;
  const modeLetter = options.findLast(({ letter }) => letter in modes)?.letter ?? 'p';
  const mode = modes[modeLetter] ?? 'main';
  const letters = givenLetters(options, mode, operands);
  if (options.filter(({ letter }) => letter === 'T').length > 1) {
    return { lines: [], fatal: 'At most one -T <mode> option may be specified' };
  }
  const changeLetter = [...letters].find(isChange);
  const change = changeLetter === undefined ? undefined : changes[changeLetter];
  const problem = conflict(letters) ?? missingOperand(change, operands);
  if (problem !== undefined) return { lines: [], fatal: problem };
  return {
    mode,
    directory: lastValue(options, 'c'),
    classText: lastValue(options, 'C'),
    overrides: options.filter(({ letter }) => letter === 'o').map(({ value }) => value),
    showsDefaults: letters.has('d'),
    onlySet: letters.has('n'),
    change,
    folds: letters.has('f'),
    hidesNames: letters.has('h'),
    hidesValues: letters.has('H'),
    asJson: letters.has('j'),
    expands: letters.has('x'),
    isQuiet: letters.has('q'),
    withDefaults: options.filter(({ letter }) => letter === 'P').length > 1,
    tlsTopic: lastValue(options, 'T') ?? '',
    operands,
  };
}
