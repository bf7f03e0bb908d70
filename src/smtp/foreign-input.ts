/** What clients send that is not SMTP, and how the log shows it. */

/** `From:`: a command line that is a header field shows that content is taken for commands. */
export function isHeaderName(word: string): boolean {
  return /^[!-9;-~]+:/.test(word);
}

/** The first bytes of unexpected input with C escapes for what is not printable. */
export function peekedText(bytes: Buffer): string {
  let out = '';
  for (const byte of bytes.subarray(0, 100)) {
    if (out.length >= 100) break;
    if (byte === 0x0d) out += String.raw`\r`;
    else if (byte === 0x0a) out += String.raw`\n`;
    else if (byte === 0x09) out += String.raw`\t`;
    else if (byte === 0x5c) out += '\\\\';
    else if (byte >= 0x20 && byte < 0x7f) out += String.fromCharCode(byte);
    else out += `\\${byte.toString(8).padStart(3, '0')}`;
  }
  return out;
}
