/** The options of postconf(1), checked for what excludes what. */
import { lastValue, parseOptions } from '../getopt.ts';

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

export interface PostconfOptions {
  readonly mode: Mode;
  readonly directory: string | undefined;
  readonly classText: string | undefined;
  readonly overrides: readonly string[];
  readonly showsDefaults: boolean;
  readonly onlySet: boolean;
  readonly change: 'edit' | 'drop' | 'comment' | undefined;
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
const changes = { e: 'edit', E: 'edit', X: 'drop', '#': 'comment' } as const;
type ChangeLetter = keyof typeof changes;
const isChange = (letter: string): letter is ChangeLetter => letter in changes;

/** Letters that exclude each other, in the order messages list them. */
const exclusive: readonly string[] = ['aAbFlmMpPtT', 'dn', 'eX#', 'hH'];

function conflict(letters: ReadonlySet<string>): string | undefined {
  for (const group of exclusive) {
    const given = group.split('').filter((letter) => letters.has(letter));
    if (given.length > 1) return `specify one of ${given.map((letter) => `-${letter}`).join(', ')}`;
  }
  return undefined;
}

/** Reads the command line; a problem says what to print (`lines` before the fatal one). */
export function parsePostconf(
  args: readonly string[],
): PostconfOptions | { readonly lines: readonly string[]; readonly fatal: string } {
  const parsed = parseOptions(args, 'aAbc:C:deEfFhHjlmMno:pPqtT:vxX#');
  if (parsed.kind === 'invalid') return { lines: [parsed.problem], fatal: usage };
  const { options, operands } = parsed;
  const letters = new Set(options.map(({ letter }) => letter));
  const problem = conflict(letters);
  if (problem !== undefined) return { lines: [], fatal: problem };
  const modeLetter = options.findLast(({ letter }) => letter in modes)?.letter ?? 'p';
  const mode = modes[modeLetter] ?? 'main';
  const changeLetter = [...letters].find(isChange);
  const canChange = ['main', 'entries', 'fields', 'entryParameters'].includes(mode);
  const isAssigned = canChange && operands.some((text) => text.includes('='));
  return {
    mode,
    directory: lastValue(options, 'c'),
    classText: lastValue(options, 'C'),
    overrides: options.filter(({ letter }) => letter === 'o').map(({ value }) => value),
    showsDefaults: letters.has('d'),
    onlySet: letters.has('n'),
    change: changeLetter === undefined ? (isAssigned ? 'edit' : undefined) : changes[changeLetter],
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
