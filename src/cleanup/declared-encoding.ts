/**
 * Whether any header section of a message declares content that is not 7-bit: then it is announced as such on its further
 * way, whatever the client said. RFC 6152; postconf(5) detect_8bit_encoding_header
 */

const declaration = /^[ \t]*(?:8bit|binary)[ \t]*$/i;

/** `text`: a whole field, its folding as CRLF. A comment beside the word is not looked through, as Postfix does. */
export function declares8bit({ name, text }: { readonly name: string; readonly text: string }): boolean {
  if (name.toLowerCase() !== 'content-transfer-encoding') return false;
  return declaration.test(text.slice(text.indexOf(':') + 1).replaceAll('\r\n', ''));
}

/** As the ends of the field's name are written. */
const nameEnds = ['-Encoding:', '-encoding:', '-ENCODING:'];
const lineOfField = /^content-transfer-encoding:(?:[ \t]|\r\n[ \t])*(?:8bit|binary)[ \t]*\r\n/i;
const beforeNameEnd = 'content-transfer'.length;
/** More than such a field takes. */
const longest = 100;

/**
 * Looks for such fields in the parts of a message, in any split of its body. It looks at lines, not at where they stand:
 * that costs next to nothing, and the worst that a line of text can do is to announce 8-bit content that is not there.
 */
export class PartEncodings {
  #tail: Buffer = Buffer.alloc(0);
  #found = false;

  get found(): boolean {
    return this.#found;
  }

  read(chunk: Buffer): void {
    if (this.#found) return;
    const seam = Buffer.concat([this.#tail, chunk.subarray(0, longest)]);
    this.#found = holdsDeclaration(seam) || holdsDeclaration(chunk);
    this.#tail = (chunk.length < longest ? Buffer.concat([this.#tail, chunk]) : chunk).subarray(-longest);
  }
}

function holdsDeclaration(bytes: Buffer): boolean {
  return nameEnds.some((end) => {
    for (let at = bytes.indexOf(end); at >= 0; at = bytes.indexOf(end, at + 1)) {
      const start = at - beforeNameEnd;
      const beginsLine = start === 0 || bytes[start - 1] === 0x0a;
      if (start >= 0 && beginsLine && lineOfField.test(bytes.toString('latin1', start, start + longest))) return true;
    }
    return false;
  });
}
