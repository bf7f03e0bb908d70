/** Header fields: cutting the header section into logical ones, and which of them hold addresses. RFC 5322, 2.2 */

export interface HeaderField {
  /** As written. */
  readonly name: string;
  /** The whole field with its folding, without the last line end. */
  readonly text: string;
}

const senderFields = new Set(
  'disposition-notification-to errors-to from mail-followup-to reply-to resent-from resent-sender return-path return-receipt-to sender'.split(
    ' ',
  ),
);
const recipientFields = new Set('apparently-to bcc cc resent-bcc resent-cc resent-reply-to resent-to to'.split(' '));

/** Whose addresses a field holds. */
export function fieldRole(name: string): 'header_sender' | 'header_recipient' | undefined {
  const lower = name.toLowerCase();
  return senderFields.has(lower) ? 'header_sender' : recipientFields.has(lower) ? 'header_recipient' : undefined;
}

export function isMimeField(name: string): boolean {
  return /^(?:content-|mime-version$)/i.test(name);
}

/** Name of a line that begins a field; undefined for any other line. */
export function fieldName(line: string): string | undefined {
  return /^([!-9;-~]+)[ \t]*:/.exec(line)?.[1];
}

/**
 * Cuts a header section (CRLF line ends). `rest` begins where the header section ends: at the empty line, or at the
 * first line that is no header. `sizeLimit`: header_size_limit, for one field.
 */
export function splitHeader(
  section: string,
  sizeLimit: number,
): {
  readonly fields: readonly HeaderField[];
  readonly rest: string;
  readonly hasEnd: boolean;
} {
  const fields: { name: string; text: string }[] = [];
  let at = 0;
  let isFull = false;
  while (at < section.length) {
    let end = section.indexOf('\r\n', at);
    if (end < 0) end = section.length;
    const line = section.slice(at, end);
    if (line === '') return { fields, rest: section.slice(end + 2), hasEnd: true };
    const last = fields.at(-1);
    const name = fieldName(line);
    if (last !== undefined && /^[ \t]/.test(line)) {
      // a field that has grown too long takes no more
      isFull ||= last.text.length + 1 + line.length > sizeLimit;
      if (!isFull) last.text += `\r\n${line}`;
    } else if (name === undefined) return { fields, rest: section.slice(at), hasEnd: false };
    else {
      isFull = line.length > sizeLimit;
      // `Name : body` is read, and written as it should be
      fields.push({ name, text: `${name}${line.slice(name.length).trimStart()}`.slice(0, sizeLimit) });
    }
    at = end + 2;
  }
  return { fields, rest: '', hasEnd: false };
}
