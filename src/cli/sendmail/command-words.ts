/**
 * The words of sendmail(1)'s command line, as getopt(3) and Postfix cut them: some words mean something whole, before any
 * letter in them is an option.
 */

export type CommandPart =
  | { readonly kind: 'option'; readonly letter: string; readonly value: string }
  /** `-q` alone: the queue is flushed, and a word behind it is a recipient. */
  | { readonly kind: 'flush' }
  /** `-XV` alone: VERP with the delimiters of main.cf. */
  | { readonly kind: 'verp' }
  | { readonly kind: 'warning'; readonly text: string }
  /** In getopt's words. */
  | { readonly kind: 'complaint'; readonly text: string }
  | { readonly kind: 'operands'; readonly words: readonly string[] };

const withArgument = 'ABCFLNORVXbefhopqr';
const withoutArgument = 'GIUcimntvx';

/** The parts in order, the operands last. Behind an option that it complains of it reads on. */
export function* commandParts(args: readonly string[]): Generator<CommandPart, void> {
  let at = 0;
  for (; at < args.length; at++) {
    const word = args[at] ?? '';
    if (word === '--') {
      at++;
      break;
    }
    if (!word.startsWith('-') || word === '-') break;
    if (word === '-q') {
      yield { kind: 'flush' };
      continue;
    }
    const old = oldVerp(word, args[at + 1]);
    if (old !== undefined) yield { kind: 'warning', text: old.warning };
    const meant = old?.word ?? word;
    if (meant === '-XV') {
      yield { kind: 'verp' };
      continue;
    }
    at += yield* optionsIn(meant, args[at + 1]);
  }
  yield { kind: 'operands', words: args.slice(at) };
}

/** -V asked for VERP once; with two characters it still does. */
function oldVerp(
  word: string,
  next: string | undefined,
): { readonly word: string; readonly warning: string } | undefined {
  if (word === '-V' && next !== undefined && Buffer.byteLength(next) === 2)
    return { word: '-XV', warning: 'option -V is deprecated with Postfix 2.3; specify -XV instead' };
  if (word.startsWith('-V') && Buffer.byteLength(word) === 4) {
    const instead = `-X${word.slice(1)}`;
    return { word: instead, warning: `option ${word} is deprecated with Postfix 2.3; specify ${instead} instead` };
  }
  return undefined;
}

/** The options of one word; gives how many of the words behind it they took. */
function* optionsIn(word: string, next: string | undefined): Generator<CommandPart, number> {
  for (let index = 1; index < word.length; index++) {
    const letter = word.charAt(index);
    if (withoutArgument.includes(letter)) {
      yield { kind: 'option', letter, value: '' };
      continue;
    }
    if (!withArgument.includes(letter)) {
      yield { kind: 'complaint', text: `invalid option -- '${letter}'` };
      continue;
    }
    const joined = word.slice(index + 1);
    if (joined === '' && next === undefined) {
      yield { kind: 'complaint', text: `option requires an argument -- '${letter}'` };
      return 0;
    }
    yield { kind: 'option', letter, value: joined === '' ? (next ?? '') : joined };
    return joined === '' ? 1 : 0;
  }
  return 0;
}
