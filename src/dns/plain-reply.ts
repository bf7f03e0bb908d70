/**
 * A reply without what nobody asked for. RFC 1035, 4.1
 *
 * Strangers write replies: one record that can't be read must not hide the others, and nothing in the sections behind the
 * answer matters but how long an absence holds.
 */
import type { DnsType } from './answer.ts';

export interface PlainReply {
  /** The answers of the type asked for and aliases, and the SOA record behind them; names are written out. */
  readonly frame: Buffer;
  /** Answers that the server has written, of any type. */
  readonly answerCount: number;
  /** Some of the type asked for can't be read. */
  readonly hasUnreadable: boolean;
  /** Postfix's text about those that it warns of. */
  readonly complaints: readonly string[];
}

/** What data of a type is made of: so many bytes, names, and bytes again. undefined: whatever it likes. */
type Shape = { readonly lead: number; readonly names: number; readonly tail: number } | undefined;

const oneName: Shape = { lead: 0, names: 1, tail: 0 };

const types: Readonly<Record<DnsType | 'SOA', { readonly code: number; readonly shape: Shape }>> = {
  A: { code: 1, shape: { lead: 4, names: 0, tail: 0 } },
  NS: { code: 2, shape: oneName },
  CNAME: { code: 5, shape: oneName },
  SOA: { code: 6, shape: { lead: 0, names: 2, tail: 20 } },
  PTR: { code: 12, shape: oneName },
  MX: { code: 15, shape: { lead: 2, names: 1, tail: 0 } },
  TXT: { code: 16, shape: undefined },
  AAAA: { code: 28, shape: { lead: 16, names: 0, tail: 0 } },
  SRV: { code: 33, shape: { lead: 6, names: 1, tail: 0 } },
  TLSA: { code: 52, shape: undefined },
};

const headerBytes = 12;
const internet = 1;
/** With the length of its labels. RFC 1035, 3.1 */
const maxNameBytes = 255;

interface Piece {
  readonly bytes: Buffer;
  /** Where what follows it begins. */
  readonly end: number;
}

/** undefined: what it holds can't be followed. */
export function plainReply(frame: Buffer, asked: DnsType): PlainReply | undefined {
  let at = headerBytes;
  for (let left = frame.readUInt16BE(4); left > 0; left--) {
    const name = readName(frame, at);
    if (name === undefined || name.end + 4 > frame.length) return undefined;
    at = name.end + 4;
  }
  const questions = frame.subarray(headerBytes, at);
  const answerCount = frame.readUInt16BE(6);
  const isTruncated = (frame.readUInt8(2) & 0x02) !== 0;
  const answers: Buffer[] = [];
  const complaints: string[] = [];
  let hasUnreadable = false;
  for (let left = answerCount; left > 0; left--) {
    const record = readRecord(frame, at);
    if (record === undefined && isTruncated) break;
    if (record === undefined || record.class !== internet) return undefined;
    at = record.end;
    const type = [asked, 'CNAME' as const].find((one) => types[one].code === record.type);
    if (type === undefined) continue;
    const plain = plainRecord(frame, record, types[type].shape);
    if (plain !== undefined) answers.push(plain);
    else {
      hasUnreadable = true;
      if (type === 'A' || type === 'AAAA')
        complaints.push(`extract_answer: bad address length: ${record.end - record.dataAt}`);
    }
  }
  const soa = answers.length === 0 ? firstSoa(frame, at) : undefined;
  const head = Buffer.from(frame.subarray(0, headerBytes));
  head.writeUInt16BE(answers.length, 6);
  head.writeUInt16BE(soa === undefined ? 0 : 1, 8);
  head.writeUInt16BE(0, 10);
  const parts = [head, questions, ...answers, ...(soa === undefined ? [] : [soa])];
  return { frame: Buffer.concat(parts), answerCount, hasUnreadable, complaints };
}

/** Of the authority section, as far as that can be read. */
function firstSoa(frame: Buffer, start: number): Buffer | undefined {
  let at = start;
  for (let left = frame.readUInt16BE(8); left > 0; left--) {
    const record = readRecord(frame, at);
    if (record === undefined) return undefined;
    at = record.end;
    if (record.type === types.SOA.code) return plainRecord(frame, record, types.SOA.shape);
  }
  return undefined;
}

interface RawRecord {
  readonly name: Buffer;
  readonly type: number;
  readonly class: number;
  /** Type, class and time to live. */
  readonly fixed: Buffer;
  readonly dataAt: number;
  readonly end: number;
}

function readRecord(frame: Buffer, at: number): RawRecord | undefined {
  const name = readName(frame, at);
  if (name === undefined || name.end + 10 > frame.length) return undefined;
  const dataAt = name.end + 10;
  const end = dataAt + frame.readUInt16BE(name.end + 8);
  if (end > frame.length) return undefined;
  return {
    name: name.bytes,
    type: frame.readUInt16BE(name.end),
    class: frame.readUInt16BE(name.end + 2),
    fixed: frame.subarray(name.end, name.end + 8),
    dataAt,
    end,
  };
}

/** undefined: its data does not have the shape of its type. */
function plainRecord(frame: Buffer, { name, fixed, dataAt, end }: RawRecord, shape: Shape): Buffer | undefined {
  const data = shape === undefined ? frame.subarray(dataAt, end) : plainData(frame, dataAt, end, shape);
  if (data === undefined) return undefined;
  const length = Buffer.alloc(2);
  length.writeUInt16BE(data.length);
  return Buffer.concat([name, fixed, length, data]);
}

function plainData(
  frame: Buffer,
  start: number,
  end: number,
  { lead, names, tail }: NonNullable<Shape>,
): Buffer | undefined {
  const parts = [frame.subarray(start, start + lead)];
  let at = start + lead;
  for (let left = names; left > 0; left--) {
    const name = readName(frame, at);
    if (name === undefined) return undefined;
    parts.push(name.bytes);
    at = name.end;
  }
  parts.push(frame.subarray(at, at + tail));
  return at + tail === end ? Buffer.concat(parts) : undefined;
}

/** A name, written out. It may go on further up in the frame, never further down: so it has an end. RFC 1035, 4.1.4 */
function readName(frame: Buffer, start: number): Piece | undefined {
  const parts: Buffer[] = [];
  let length = 0;
  let end: number | undefined;
  let from = start;
  for (let at = start; at < frame.length;) {
    const size = frame.readUInt8(at);
    if (size >= 0xc0) {
      if (at + 2 > frame.length) return undefined;
      end ??= at + 2;
      at = frame.readUInt16BE(at) & 0x3fff;
      if (at >= from) return undefined;
      from = at;
      continue;
    }
    length += size + 1;
    if (size > 63 || length > maxNameBytes || at + 1 + size > frame.length) return undefined;
    parts.push(frame.subarray(at, at + 1 + size));
    at += 1 + size;
    if (size === 0) return { bytes: Buffer.concat(parts), end: end ?? at };
  }
  return undefined;
}
