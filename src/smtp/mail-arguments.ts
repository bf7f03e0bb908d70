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
  const tokens = parseAddressList(text);
  const addresses = tokens.filter((token) => token.kind === 'address');
  if (addresses.length > 1 || hasBareBlank(text) || hasStuckWords(text) || hasListMark(text)) return undefined;
  // one needless pair of brackets is forgiven
  if (text.startsWith('<<<') || (/^<<[^<]/.test(text) && !text.endsWith('>>'))) return undefined;
  // nothing but a comment may stand behind the brackets
  if (/^<[^<>"]+>[^\s(>]/.test(text)) return undefined;
  if (text.includes('><') && (strict || !text.startsWith('<>'))) return undefined;
  if (strict && (!text.startsWith('<') || tokens.some((token) => token.kind === 'comment' || isWord(token))))
    return undefined;
  const address = withoutRoute(text, unbracketed(addresses[0]?.address ?? ''));
  if (address === '@' || (strict && address.startsWith('@'))) return undefined;
  if (address === '' && tokens.some(isWord)) return undefined;
  return address;
}

/** Source routes are ignored, RFC 5321, 4.1.1.3; the outermost one where there are several. */
function withoutRoute(text: string, address: string): string {
  return /^<?\s*@/.test(text) ? address.slice(address.indexOf(':') + 1) : address;
}

function isWord(token: AddressToken): boolean {
  return (
    token.kind !== 'address' && token.kind !== 'operator' && token.kind !== 'comment' && token.kind !== 'groupStart'
  );
}

/** `<<a@b>>` leaves a bracket behind. */
function unbracketed(address: string): string {
  return address.replace(/>+$/, '');
}

/**
 * Whether a blank parts two words of an address: `<al ice@example.com>`. Quotes, comments and `<<…>>` may hold blanks,
 * and anything does behind a name: `Alice Example <alice@example.com>`.
 */
function hasBareBlank(text: string): boolean {
  if (text.startsWith('<<') || /^[^<]*\s</.test(text)) return false;
  const plain = text.replaceAll(/"(?:[^"\\]|\\.)*(?:"|$)/g, 'q').replaceAll(/\([^()]*\)/g, '');
  return /[^\s<>,:;@.]\s+[^\s<>,:;@.]/.test(plain);
}

/** Whether brackets hold what parts addresses, behind a source route. */
function hasListMark(text: string): boolean {
  const plain = text.replaceAll(/"(?:[^"\\]|\\.)*(?:"|$)/g, 'q').replaceAll(/\([^()]*\)/g, '');
  return /^<(?:\s*@[^:]*:)?[^<@,;\s][^>]*[,;].*>/.test(plain);
}

/** Whether a quoted word touches another word: `<al"ice"@example.com>`. RFC 5322, 3.2.4 */
function hasStuckWords(text: string): boolean {
  if (!text.includes('"')) return false;
  const plain = text.replaceAll(/\([^()]*\)/g, '').replaceAll(/"(?:[^"\\]|\\.)*(?:"|$)/g, '""');
  return /[^\s<>,:;@."\\]""|""[^\s<>,:;@.]/.test(plain);
}
