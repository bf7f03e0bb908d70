/** Quoted-printable of one line (RFC 2045, 6.7). */

/** A soft line break comes once a piece is this long; the last octet and its `=` still fit in 76. */
const softLimit = 72;

/** The line in pieces of at most 75 octets, all but the last ending in a soft line break. */
export function encodeQuotedPrintable(line: Buffer): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let text = '';
  for (const byte of line) {
    if (text.length > softLimit) {
      pieces.push(Buffer.from(`${text}=`, 'latin1'));
      text = '';
    }
    text += mustQuote(byte) ? quote(byte) : String.fromCharCode(byte);
  }
  // white space at the end of a line would be lost on the way
  if (text.endsWith(' ') || text.endsWith('\t')) text = text.slice(0, -1) + quote(text.charCodeAt(text.length - 1));
  pieces.push(Buffer.from(text, 'latin1'));
  return pieces;
}

function mustQuote(byte: number): boolean {
  return (byte < 0x20 && byte !== 0x09) || byte === 0x3d || byte > 0x7e;
}

function quote(byte: number): string {
  return `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
