/**
 * Queue IDs in Postfix's two forms. The serial number plays the inode's part: it is the store's key, so an ID is
 * unique while its message exists, and the store finds a message without an index on text.
 */

const base52 = '0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz';
/** The inode's alphabet lacks the separator `z`. */
const base51 = base52.slice(0, 51);

function encode(value: number, alphabet: string, minLength: number): string {
  let out = '';
  for (let rest = value; rest > 0; rest = Math.floor(rest / alphabet.length))
    out = alphabet.charAt(rest % alphabet.length) + out;
  return out.padStart(minLength, '0');
}

function decode(text: string, alphabet: string): number | undefined {
  let value = 0;
  for (const char of text) {
    const digit = alphabet.indexOf(char);
    if (digit < 0) return undefined;
    value = value * alphabet.length + digit;
  }
  return Number.isSafeInteger(value) ? value : undefined;
}

/** `at`: ms since the epoch; `isLong`: enable_long_queue_ids. */
export function makeQueueId(at: number, serial: number, isLong: boolean): string {
  const micros = Math.floor((at % 1000) * 1000) % 1_000_000;
  if (!isLong) return micros.toString(16).toUpperCase().padStart(5, '0') + serial.toString(16).toUpperCase();
  return `${encode(Math.floor(at / 1000), base52, 6)}${encode(micros, base52, 4)}z${encode(serial, base51, 1)}`;
}

/** The serial number in a queue ID; undefined when the text is none. */
export function serialOf(queueId: string): number | undefined {
  // the time may hold a `z` too: the last one separates
  const long = /^[\dB-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,}z([\dB-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]+)$/.exec(queueId);
  if (long?.[1] !== undefined) return decode(long[1], base51);
  const short = /^[\dA-F]{5}([\dA-F]{1,13})$/.exec(queueId);
  return short?.[1] === undefined ? undefined : Number.parseInt(short[1], 16);
}
