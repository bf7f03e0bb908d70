/** Arguments of MAIL, RCPT and VRFY: the path and its parameters. RFC 5321, 4.1.1.2, 4.1.1.3; smtpd(8) is lax about both. */
import { type AddressToken, parseAddressList } from '#address';
import type { CommandWord } from './command-words.ts';

export interface PathSyntax {
  /** strict_rfc821_envelopes: angle brackets are a must; comments, display names and a mere @domain are not allowed. */
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
  /** `isCut`: a bracket or quote has no end, so that the text is no address at all. */
  | { readonly kind: 'badAddress'; readonly text: string; readonly isCut: boolean };

/** `words`: the whole command, such as `MAIL`, `FROM:`, `<a@b>`, `SIZE=1`. */
export function parsePath(words: readonly CommandWord[], word: 'FROM' | 'TO', syntax: PathSyntax): PathResult {
  const [, keyword, path, ...rest] = words;
  if (path === undefined || keyword?.text.toUpperCase() !== `${word}:`) return { kind: 'syntax' };
  const address = path.isUnbalanced ? undefined : pathAddress(path.text, syntax);
  if (address === undefined) return { kind: 'badAddress', text: path.text, isCut: path.isUnbalanced };
  return { kind: 'ok', address, parameters: rest.map(({ text }) => text) };
}

/** The address of a path in internal form, '' for the null path; undefined when it is not one address. */
export function pathAddress(text: string, { strict }: PathSyntax): string | undefined {
  const isBracketed = text.length > 1 && text.startsWith('<') && text.endsWith('>');
  const tokens = parseAddressList(withoutRoute(isBracketed ? text.slice(1, -1) : text));
  const addresses = tokens.filter((token) => token.kind === 'address');
  if (addresses.length > 1) return undefined;
  const address = addresses[0]?.address ?? '';
  if (address === '@') return undefined;
  if (!strict) return address;
  return text.startsWith('<') && !address.startsWith('@') && tokens.every(isOfPath) ? address : undefined;
}

/** Source routes are ignored, RFC 5321, 4.1.1.3; the outermost one where there are several. */
function withoutRoute(path: string): string {
  return path.startsWith('@') ? path.slice(path.indexOf(':') + 1) : path;
}

function isOfPath(token: AddressToken): boolean {
  return token.kind === 'address' || (token.kind === 'operator' && (token.text === '<' || token.text === '>'));
}
