/** Command line of postmap(1) and postalias(1). */
import { FatalError, type MapCommandKind } from './kind.ts';

export type MapAction =
  | { readonly kind: 'create' }
  /** Adds entries from standard input. */
  | { readonly kind: 'add' }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'query'; readonly key: string }
  | { readonly kind: 'list' };

export interface MapOptions {
  readonly action: MapAction;
  readonly configDirectory: string | undefined;
  /** `type:name` or name. */
  readonly maps: readonly string[];
  readonly flags: ReadonlySet<string>;
}

export interface OptionProblem {
  readonly kind: 'usage';
  /** What getopt(3) says first. */
  readonly complaint: string | undefined;
}

const withArgument = 'cdq';
const oneActionOnly = 'specify only one of -d -i -q or -s';

/** Options may stand between and behind operands, as with GNU getopt(3). */
export function parseMapOptions(args: readonly string[], kind: MapCommandKind): MapOptions | OptionProblem {
  const flags = new Set<string>();
  const maps: string[] = [];
  let configDirectory: string | undefined;
  let action: MapAction | undefined;
  const choose = (chosen: MapAction): void => {
    if (action !== undefined) throw new FatalError(oneActionOnly);
    action = chosen;
  };
  for (let i = 0; i < args.length; i += 1) {
    const word = args[i] ?? '';
    if (word === '--') {
      maps.push(...args.slice(i + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      maps.push(word);
      continue;
    }
    for (let at = 1; at < word.length; at += 1) {
      const letter = word.charAt(at);
      if (!withArgument.includes(letter)) {
        if (!kind.flags.includes(letter)) return { kind: 'usage', complaint: `invalid option -- '${letter}'` };
        if (letter === 'i') choose({ kind: 'add' });
        else if (letter === 's') choose({ kind: 'list' });
        else flags.add(letter);
        continue;
      }
      const rest = word.slice(at + 1);
      const value = rest === '' ? args[i + 1] : rest;
      if (value === undefined) return { kind: 'usage', complaint: `option requires an argument -- '${letter}'` };
      if (rest === '') i += 1;
      if (letter === 'c') configDirectory = value;
      else choose({ kind: letter === 'd' ? 'delete' : 'query', key: value });
      break;
    }
  }
  if (maps.length === 0 && action?.kind !== 'list') return { kind: 'usage', complaint: undefined };
  return { action: action ?? { kind: 'create' }, configDirectory, maps, flags };
}
