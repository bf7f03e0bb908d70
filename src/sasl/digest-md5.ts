/** DIGEST-MD5 without security layers: the server's challenge, what a client says to it, and the proof of both. RFC 2831 */
import { createHash, timingSafeEqual } from 'node:crypto';

export interface DigestChallenge {
  readonly nonce: string;
  readonly realm: string;
}

export function challengeText({ nonce, realm }: DigestChallenge): string {
  return `nonce="${nonce}",realm="${realm}",qop="auth",charset=utf-8,algorithm=md5-sess`;
}

export interface DigestResponse {
  readonly username: string;
  /** As the client has it; '' when it named none. */
  readonly realm: string;
  /** '': for itself. */
  readonly authzid: string;
  readonly qop: string;
  readonly nonceCount: string;
  readonly cnonce: string;
  readonly uri: string;
  readonly response: string;
  readonly isUtf8: boolean;
}

const directive = /[\s,]*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)/y;
const leastBuffer = 16;

/** Names in lower case; undefined: it can't be parsed. */
function directivesIn(text: string): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>();
  for (let at = 0; at < text.length;) {
    directive.lastIndex = at;
    const [whole, name, quoted, plain = ''] = directive.exec(text) ?? [];
    if (whole === undefined || name === undefined) return undefined;
    found.set(name.toLowerCase(), quoted === undefined ? plain : quoted.replaceAll(/\\(.)/gs, '$1'));
    at += whole.length;
  }
  return found;
}

/** Directives that have to be there, in the order in which they are missed, and what libsasl calls them. */
const required = [
  ['username', 'username'],
  ['nonce', 'nonce'],
  ['nc', 'noncecount'],
  ['cnonce', 'cnonce'],
  ['digest-uri', 'digesturi'],
  ['response', 'response'],
] as const;

/** A text says what is wrong. `service`: that the client has to mean. */
export function readDigestResponse(bytes: Buffer, nonce: string, service: string): DigestResponse | string {
  if (bytes.length === 0) return 'input expected in DIGEST-MD5, step 2';
  const directives = directivesIn(bytes.toString('latin1'));
  if (directives === undefined) return 'Parse error';
  const isUtf8 = directives.get('charset')?.toLowerCase() === 'utf-8';
  const value = (name: string): string => {
    const text = directives.get(name) ?? '';
    return isUtf8 ? Buffer.from(text, 'latin1').toString('utf8') : text;
  };
  if (directives.has('nc') && !/^[0-9a-f]+$/i.test(value('nc'))) return 'error converting hex to int';
  if (directives.has('maxbuf') && !(Number(value('maxbuf')) > leastBuffer)) return 'maxbuf parameter too small';
  const missing = required.find(([name]) => !directives.has(name));
  if (missing !== undefined) return `required parameters missing: ${missing[1]}`;
  if (value('nonce') !== nonce) return 'nonce changed: authentication aborted';
  const uri = value('digest-uri');
  if (!uri.toLowerCase().startsWith(`${service.toLowerCase()}/`)) return "bad digest-uri: doesn't match service";
  return {
    username: value('username'),
    realm: value('realm'),
    authzid: value('authzid'),
    qop: directives.get('qop') ?? 'auth',
    nonceCount: value('nc'),
    cnonce: value('cnonce'),
    uri,
    response: value('response'),
    isUtf8,
  };
}

type Part = Buffer | string;

function md5(...parts: readonly Part[]): Buffer {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** What fits is hashed in Latin 1, also of what comes in UTF-8. RFC 2831, 2.1.2.1 */
function hashed(text: string, isUtf8: boolean): Buffer {
  const isWide = /[\u0100-\uffff]/.test(text);
  return Buffer.from(text, isUtf8 && isWide ? 'utf8' : 'latin1');
}

/** What the client has to send, and what proves to it that the server knows the password. */
export function digestsOf(
  said: DigestResponse,
  nonce: string,
  password: Buffer,
): { readonly expected: string; readonly proof: string } {
  const { username, realm, authzid, qop, nonceCount, cnonce, uri, isUtf8 } = said;
  const secret = isUtf8 ? hashed(password.toString('utf8'), true) : password;
  const user = md5(hashed(username, isUtf8), ':', hashed(realm, isUtf8), ':', secret);
  const session = md5(user, `:${nonce}:${cnonce}`, authzid === '' ? '' : `:${authzid}`).toString('hex');
  const digest = (method: string): string => {
    const asked = md5(`${method}:${uri}`).toString('hex');
    return md5(`${session}:${nonce}:${nonceCount}:${cnonce}:${qop}:${asked}`).toString('hex');
  };
  return { expected: digest('AUTHENTICATE'), proof: `rspauth=${digest('')}` };
}

export function isSameDigest(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
