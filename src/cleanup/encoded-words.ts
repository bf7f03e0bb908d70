/** Text beyond ASCII in a header field, as encoded-words. RFC 2047 */

// RFC 2047, 2: at most 75 characters an encoded-word
const encodedWordLength = 75;

/** A charset is a token. RFC 2047, 2 */
export function isCharset(name: string): boolean {
  return /^[!#$%&'*+\-0-9A-Z^_`a-z{|}~]+$/.test(name);
}

/** As quoted-printable has it in a phrase. RFC 2047, 5 (3) */
function quotedPrintable(character: string): string {
  if (/^[A-Za-z0-9!*+\-/]$/.test(character)) return character;
  if (character === ' ') return '_';
  return [...Buffer.from(character)].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

interface Form {
  readonly letter: 'q' | 'b';
  readonly encode: (text: string) => string;
}

const quoted: Form = { letter: 'q', encode: (text) => Array.from(text, quotedPrintable).join('') };
const base64: Form = { letter: 'b', encode: (text) => Buffer.from(text).toString('base64') };

/** Words of at most the length there is; no character is cut in two. */
function words(text: string, { encode }: Form, room: number): readonly string[] {
  const out: string[] = [];
  let word = '';
  for (const character of text) {
    if (word !== '' && encode(word + character).length > room) {
      out.push(encode(word));
      word = '';
    }
    word += character;
  }
  return [...out, encode(word)];
}

/** A phrase of encoded-words: quoted-printable when it is short or mostly printable, base64 otherwise. */
export function encodeWords(text: string, charset: string): string {
  const room = encodedWordLength - `=?${charset}?q??=`.length;
  const printable = text.replaceAll(/[^ -~]/g, '').length;
  const isReadable = quoted.encode(text).length <= room || printable * 2 >= Buffer.byteLength(text);
  const form = isReadable ? quoted : base64;
  return words(text, form, room)
    .map((word) => `=?${charset}?${form.letter}?${word}?=`)
    .join(' ');
}
