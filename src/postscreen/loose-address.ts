/** Addresses of MAIL and RCPT, only for the log: whatever stands there is taken for one. */

/** Internal form, without source route; undefined when the word FROM: or TO: is missing. */
export function looseAddress(argument: string, word: 'FROM' | 'TO'): string | undefined {
  const colon = argument.indexOf(':');
  if (colon < 0 || argument.slice(0, colon).trim().toUpperCase() !== word) return undefined;
  const text = argument.slice(colon + 1).trimStart();
  return internalForm(text.startsWith('<') ? bracketed(text) : (text.split(/\s/, 1)[0] ?? ''));
}

/** Up to the bracket that closes, outside of quotes; a quote without end takes the rest. */
function bracketed(text: string): string {
  const [inside = ''] = /^(?:"(?:[^"\\]|\\.)*(?:"|$)|[^">])*/.exec(text.slice(1)) ?? [];
  return inside;
}

function internalForm(text: string): string {
  // each host begins with @ and has none inside: there is one way to read them, however many there are
  const plain = text.replace(/^(?:@[^@,:]*,?)+:/, '').trim();
  const at = plain.lastIndexOf('@');
  const localPart = (at < 0 ? plain : plain.slice(0, at)).replaceAll(
    /"((?:[^"\\]|\\.)*)(?:"|$)/g,
    (_all, quoted: string) => quoted.replaceAll(/\\(.)/g, '$1'),
  );
  return at < 0 ? localPart : `${localPart}@${plain.slice(at + 1)}`;
}
