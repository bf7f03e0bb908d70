/** Arguments of MAIL and RCPT: the path and its parameters. RFC 5321, 4.1.1.2, 4.1.1.3; smtpd(8) is lax about both. */
import { addressesOf, parseAddressList, toInternal } from '#address';

export interface PathSyntax {
  /** strict_rfc821_envelopes: angle brackets are a must, comments and display names are not allowed. */
  readonly strict: boolean;
}

export type PathResult =
  | {
      readonly kind: 'ok';
      /** Internal form; '' for `<>`. */ readonly address: string;
      readonly parameters: readonly string[];
    }
  /** The words FROM: or TO: are missing. */
  | { readonly kind: 'syntax' }
  | { readonly kind: 'badAddress'; readonly text: string };

/** End of a `<…>` path: the `>` outside quotes. */
function endOfPath(text: string): number {
  let quoted = false;
  for (let i = 1; i < text.length; i += 1) {
    const char = text.charAt(i);
    if (char === '\\') i += 1;
    else if (char === '"') quoted = !quoted;
    else if (char === '>' && !quoted) return i;
  }
  return -1;
}

/** Cuts a source route `@a,@b:` from the front of a path. */
function withoutRoute(path: string): string {
  return path.startsWith('@') ? path.slice(path.indexOf(':') + 1) : path;
}

/** `text` is what follows the verb, such as `FROM:<a@b> SIZE=1`. */
export function parsePath(text: string, word: 'FROM' | 'TO', { strict }: PathSyntax): PathResult {
  const match = new RegExp(`^${word}\\s*:\\s*`, 'i').exec(text);
  if (match === null) return { kind: 'syntax' };
  const rest = text.slice(match[0].length);
  if (strict && /^\S+\s*:\s/.test(text)) return { kind: 'badAddress', text: rest };
  if (rest.startsWith('<')) return bracketedPath(rest, strict);
  if (strict || rest === '') return { kind: 'badAddress', text: rest };
  const angle = rest.indexOf('<');
  if (angle > 0) {
    const found = bracketedPath(rest.slice(angle), strict);
    return found.kind === 'ok' ? found : { kind: 'badAddress', text: rest };
  }
  return barePath(rest);
}

function bracketedPath(rest: string, strict: boolean): PathResult {
  const end = endOfPath(rest);
  if (end < 0) return { kind: 'badAddress', text: rest };
  const path = withoutRoute(rest.slice(1, end).trim());
  const after = rest.slice(end + 1);
  if (after !== '' && !/^\s/.test(after) && strict) return { kind: 'badAddress', text: rest };
  const parameters = after.replace(/^\S+/, '').trim();
  const address = toAddress(path, strict);
  if (address === undefined) return { kind: 'badAddress', text: rest.slice(0, end + 1) };
  return {
    kind: 'ok',
    address,
    parameters:
      parameters === ''
        ? []
        : withoutComments(parameters)
            .split(/\s+/)
            .filter((word) => word !== ''),
  };
}

function barePath(rest: string): PathResult {
  const clean = withoutComments(rest);
  const [path = '', ...parameters] = clean.split(/\s+/);
  const address = toAddress(withoutRoute(path), false);
  return address === undefined || address === ''
    ? { kind: 'badAddress', text: rest }
    : { kind: 'ok', address, parameters };
}

function withoutComments(text: string): string {
  return text.replaceAll(/\([^()]*\)/g, ' ').trim();
}

/** A mailbox in internal form; undefined when it is not one. */
function toAddress(path: string, strict: boolean): string | undefined {
  if (path === '') return '';
  if (strict && /[()<>]|\s(?=(?:[^"]*"[^"]*")*[^"]*$)/.test(path)) return undefined;
  const found = addressesOf(parseAddressList(path));
  const [only] = found;
  if (found.length !== 1 || only === undefined || only === '') return undefined;
  return path.includes('"') || path.includes('\\') ? toInternal(path) : only;
}
