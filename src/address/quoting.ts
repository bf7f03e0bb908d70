/** External and internal form: quoting of local parts. RFC 5321, 4.1.2; RFC 5322, 3.2.4 */
import { splitAddress } from './parts.ts';

// oxlint-disable-next-line no-control-regex -- what RFC 5321 calls atext, and 8-bit characters
const dotString = /^[^\x00-\x20()<>@,;:\\".[\]\x7f]+(?:\.[^\x00-\x20()<>@,;:\\".[\]\x7f]+)*$/;

/** A local part as it stands on the wire: quoted when it is no dot-string. */
export function quoteLocalPart(localPart: string): string {
  if (dotString.test(localPart)) return localPart;
  return `"${localPart.replaceAll(/["\\\r]/g, String.raw`\$&`)}"`;
}

/** The address as it stands on the wire, without angle brackets; '' stays ''. */
export function toExternal(address: string): string {
  if (address === '') return '';
  const at = address.lastIndexOf('@');
  if (at < 0) return quoteLocalPart(address);
  const { localPart, domain } = splitAddress(address);
  return `${quoteLocalPart(localPart)}@${domain}`;
}

/** Undoes quoting: removes quotes and backslashes of quoted strings. */
export function toInternal(text: string): string {
  if (!text.includes('"') && !text.includes('\\')) return text;
  let out = '';
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charAt(i);
    if (char === '\\' && i + 1 < text.length) {
      i += 1;
      out += text.charAt(i);
    } else if (char !== '"') out += char;
  }
  return out;
}
