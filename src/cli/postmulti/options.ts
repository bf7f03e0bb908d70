/** The command line of postmulti(1), checked for what excludes what. */
import { lastValue, parseOptions } from '../getopt.ts';

const actions = ['create', 'destroy', 'import', 'deport', 'enable', 'disable', 'assign', 'init'] as const;
export type EditAction = (typeof actions)[number];

export type Selection =
  | { readonly kind: 'all' }
  | { readonly kind: 'group'; readonly name: string }
  | { readonly kind: 'instance'; readonly name: string };

export interface MultiOptions {
  readonly mode: 'list' | 'postfix' | 'command' | EditAction;
  readonly selection: Selection | undefined;
  readonly isReversed: boolean;
  readonly asJson: boolean;
  /** -I and -G; undefined: not given, '': none. */
  readonly newName: string | undefined;
  readonly newGroup: string | undefined;
  readonly operands: readonly string[];
}

export type ParsedMulti =
  | { readonly kind: 'options'; readonly options: MultiOptions }
  | { readonly kind: 'invalid'; readonly complaint: string }
  | { readonly kind: 'fatal'; readonly text: string };

export const usage =
  'Usage:postmulti -l [-v] [-a] [-g group] [-i instance] | ' +
  'postmulti -p [-v] [-a] [-g group] [-i instance] command... | ' +
  'postmulti -x [-v] [-a] [-i name] [-g group] command... | ' +
  'postmulti -e action [-v] [-a] [-i name] [-g group] [-I name] [-G group] [param=value ...]';

/** A name of `-` stands for none. */
function nameGiven(text: string | undefined): string | undefined {
  return text === '-' ? '' : text;
}

export function parseMulti(args: readonly string[]): ParsedMulti {
  const parsed = parseOptions(args, 'ae:g:i:G:I:jlpRvx', true);
  if (parsed.kind === 'invalid') return { kind: 'invalid', complaint: parsed.problem };
  const { options: given, operands } = parsed;
  const letters = given.map(({ letter }) => letter);
  const count = (group: string): number => letters.filter((letter) => group.includes(letter)).length;
  const fatal = (text: string): ParsedMulti => ({ kind: 'fatal', text });
  if (count('elpx') !== 1) return fatal("Specify exactly one of '-e', '-l', '-p', '-x'");
  if (count('agi') > 1) return fatal("Specity no more than one of '-a', '-g', '-i'");
  const word = lastValue(given, 'e');
  const action = actions.find((name) => name === word);
  if (word !== undefined && action === undefined) {
    const known = actions
      .map((name) => `'${name}'`)
      .join(', ')
      .replace(/, ('init')$/, ' or $1');
    return fatal(`Invalid '-e' edit action '${word}'. Specify ${known}`);
  }
  const newName = nameGiven(lastValue(given, 'I'));
  const newGroup = nameGiven(lastValue(given, 'G'));
  const instance = lastValue(given, 'i');
  const problem = problemOf(action, { newName, newGroup, instance, operands });
  if (problem !== undefined) return fatal(problem);
  const runs = letters.includes('p') || letters.includes('x');
  if (runs && operands.length === 0) return fatal("Command required with '-p' or '-x' option");
  const group = lastValue(given, 'g');
  return {
    kind: 'options',
    options: {
      mode: action ?? (letters.includes('l') ? 'list' : letters.includes('p') ? 'postfix' : 'command'),
      selection:
        instance !== undefined
          ? { kind: 'instance', name: instance }
          : group !== undefined
            ? { kind: 'group', name: nameGiven(group) ?? '' }
            : letters.includes('a')
              ? { kind: 'all' }
              : undefined,
      isReversed: letters.includes('R'),
      asJson: letters.includes('j'),
      newName,
      newGroup,
      operands,
    },
  };
}

interface Given {
  readonly newName: string | undefined;
  readonly newGroup: string | undefined;
  readonly instance: string | undefined;
  readonly operands: readonly string[];
}

const places: ReadonlySet<string> = new Set(['config_directory', 'queue_directory', 'data_directory']);

/** Name and value of `name=value`, no `/` at the value's end; undefined where there is no `=`. */
export function placeGiven(text: string): readonly [name: string, value: string] | undefined {
  const at = text.indexOf('=');
  if (at < 0) return undefined;
  const value = text.slice(at + 1).trim();
  return [text.slice(0, at).trim(), value.replace(/(?<!^)\/+$/, '')];
}

function placeProblem(action: EditAction, text: string): string | undefined {
  const given = placeGiven(text);
  if (given === undefined) return `Malformed parameter setting '${text}'`;
  const [name, value] = given;
  if (!places.has(name) || (action === 'import' && name !== 'config_directory'))
    return `Parameter '${name}' not valid with action ${action}`;
  if (!value.startsWith('/')) return `Parameter setting '${name}' is not an absolute path`;
  if (value === '/') return `Parameter setting '${name}' is the root directory`;
  // main.cf would have another directory, or several
  const cut = name === 'config_directory' ? /[\s,$]/ : /[\s$]/;
  return cut.test(value) ? `Unsafe characters in parameter setting '${name}': '${value}'` : undefined;
}

/** Scripts have them as words. */
function isUnsafe(text: string): boolean {
  return !/^[\w!%+=:@./-]*$/.test(text);
}

function problemOf(action: EditAction | undefined, given: Given): string | undefined {
  const { newName, newGroup, instance, operands } = given;
  const takesName = action === 'create' || action === 'import' || action === 'assign';
  if (!takesName && (newName !== undefined || newGroup !== undefined))
    return "Cannot assign instance name or group without '-e assign'";
  if (newName !== undefined && isUnsafe(newName)) return `Unsafe characters in new instance name: '${newName}'`;
  if (newGroup !== undefined && isUnsafe(newGroup)) return `Unsafe characters in '-G ${newGroup}'`;
  if (newName?.includes('/') === true) return `Illegal '/' character in new instance name: '${newName}'`;
  if (newName !== undefined && newName !== '' && !newName.startsWith('postfix-'))
    return "New instance name must start with 'postfix-'";
  if (action === undefined) return undefined;
  if (action === 'assign' && newName === undefined && newGroup === undefined)
    return "Specify new instance name or group with '-e assign'";
  if (operands.length > 0 && action !== 'create' && action !== 'import')
    return `Parameter overrides not valid with '-e ${action}'`;
  const wrong = operands.map((text) => placeProblem(action, text)).find((problem) => problem !== undefined);
  if (wrong !== undefined) return wrong;
  const needsInstance = action !== 'create' && action !== 'import' && action !== 'init';
  return needsInstance && instance === undefined ? "Select an instance via '-i name'" : undefined;
}
