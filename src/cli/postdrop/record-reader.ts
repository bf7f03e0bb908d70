/** A stream of queue file records: type, length in groups of 7 bits, data. postdrop(1) */

export interface InputRecord {
  readonly type: string;
  readonly data: Buffer;
}

/** What ends the stream before its time. */
export class MalformedInput extends Error {}

const longestData = 16 * 1024 * 1024;

export async function* readRecords(input: AsyncIterable<Buffer>): AsyncGenerator<InputRecord, void> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of input) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    let at = 0;
    for (let head = headAt(held, at); head !== undefined; head = headAt(held, at)) {
      if (held.length < head.dataAt + head.length) break;
      at = head.dataAt + head.length;
      yield { type: head.type, data: held.subarray(head.dataAt, at) };
    }
    held = held.subarray(at);
  }
  if (held.length === 0) return;
  const { type = String.fromCharCode(held[0] ?? 0), length = 0 } = headAt(held, 0) ?? {};
  throw new MalformedInput(`stdin: unexpected EOF in data, record type ${type.charCodeAt(0)} length ${length}`);
}

interface Head {
  readonly type: string;
  readonly length: number;
  readonly dataAt: number;
}

/** Undefined where it is not whole yet. */
function headAt(bytes: Buffer, start: number): Head | undefined {
  let length = 0;
  for (let at = start + 1, shift = 0; at < bytes.length; at++, shift += 7) {
    const byte = bytes[at] ?? 0;
    length += (byte & 0x7f) * 2 ** shift;
    if (length > longestData) throw new MalformedInput(`stdin: bad length ${length}`);
    if ((byte & 0x80) === 0) return { type: String.fromCharCode(bytes[start] ?? 0), length, dataAt: at + 1 };
  }
  return undefined;
}
