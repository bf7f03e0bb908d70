/**
 * Internal form (unquoted) and external form (RFC 5321, 4.1.2 Quoted-string) of addresses.
 *
 * Characters beyond ASCII need no quotes: RFC 6531, 3.3.
 */

// oxlint-disable-next-line no-control-regex -- what an atom must not hold
const NOT_IN_ATOM = /[\x00-\x20\x7f()<>@,;:\\"[\]]/;

/** A local-part as it may stand on the wire: as it is when a Dot-string, else as a Quoted-string. */
export function quoteLocalPart(localPart: string): string {
  return isDotString(localPart) ? localPart : `"${localPart.replace(/["\\\r]/g, '\\$&')}"`;
}

function isDotString(localPart: string): boolean {
  if (localPart === '' || localPart.startsWith('.') || localPart.endsWith('.')) return false;
  return !NOT_IN_ATOM.test(localPart) && !localPart.includes('..');
}

/** Length of a source route `@a,@b:` in front of an address; 0 when there is none. */
function routeLength(address: string): number {
  return address.startsWith('@') ? address.indexOf(':') + 1 : 0;
}

/** An internal address in external form; '' stays ''. A source route in front is left as it is. */
export function toExternal(address: string): string {
  if (address === '') return '';
  const start = routeLength(address);
  const at = address.lastIndexOf('@');
  const end = at < start ? address.length : at;
  const localPart = address.slice(start, end);
  if (isDotString(localPart)) return address;
  return address.slice(0, start) + quoteLocalPart(localPart) + address.slice(end);
}

/** An external address in internal form: quotes and backslashes of the local-part are taken away. */
export function toInternal(text: string): string {
  if (!text.includes('"') && !text.includes('\\')) return text;
  const start = routeLength(text);
  const at = lastUnquotedAt(text, start);
  const end = at < 0 ? text.length : at;
  let localPart = '';
  for (let index = start; index < end; index++) {
    const character = text.charAt(index);
    if (character === '"') continue;
    if (character !== '\\') localPart += character;
    else if (++index < end) localPart += text.charAt(index);
  }
  return text.slice(0, start) + localPart + text.slice(end);
}

/** The `@` before the domain: not one inside quotes that are never followed by a domain. */
function lastUnquotedAt(text: string, start: number): number {
  let found = -1;
  let quoted = false;
  for (let index = start; index < text.length; index++) {
    const character = text.charAt(index);
    if (character === '\\') index++;
    else if (character === '"') quoted = !quoted;
    else if (character === '@' && !quoted) found = index;
  }
  return found;
}
