/** Command line options as getopt(3) reads them, operands between options allowed. */

export type ParsedOptions =
  | { readonly kind: 'options'; readonly options: readonly GivenOption[]; readonly operands: readonly string[] }
  /** What getopt says, without the command's name. */
  | { readonly kind: 'invalid'; readonly problem: string };

export interface GivenOption {
  readonly letter: string;
  /** '' for an option that takes none. */
  readonly value: string;
}

/**
 * `letters` as in C: a colon after each letter that takes a value. `stopsAtOperand`: what follows the first operand is not
 * for this command.
 */
export function parseOptions(args: readonly string[], letters: string, stopsAtOperand = false): ParsedOptions {
  const options: GivenOption[] = [];
  const operands: string[] = [];
  for (let i = 0; i < args.length; i += 1) {
    const arg = args[i] ?? '';
    if (arg === '--') return { kind: 'options', options, operands: [...operands, ...args.slice(i + 1)] };
    if (!arg.startsWith('-') || arg === '-') {
      if (stopsAtOperand) return { kind: 'options', options, operands: args.slice(i) };
      operands.push(arg);
      continue;
    }
    for (let at = 1; at < arg.length; at += 1) {
      const letter = arg.charAt(at);
      const place = letter === ':' ? -1 : letters.indexOf(letter);
      if (place < 0) return { kind: 'invalid', problem: `invalid option -- '${letter}'` };
      if (letters.charAt(place + 1) !== ':') {
        options.push({ letter, value: '' });
        continue;
      }
      const joined = arg.slice(at + 1);
      if (joined === '') i += 1;
      const value = joined === '' ? args[i] : joined;
      if (value === undefined) return { kind: 'invalid', problem: `option requires an argument -- '${letter}'` };
      options.push({ letter, value });
      break;
    }
  }
  return { kind: 'options', options, operands };
}

/** The value given last; undefined when the option was not given. */
export function lastValue(options: readonly GivenOption[], letter: string): string | undefined {
  return options.findLast((option) => option.letter === letter)?.value;
}
