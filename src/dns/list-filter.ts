/** Asking DNS lists: the name of an address in them, and which answers count. postconf(5) reject_rbl_client, postscreen_dnsbl_sites */
import { parseIp } from '#address';

/** For each octet, the ranges it may be in. */
export type AnswerFilter = readonly (readonly (readonly [from: number, to: number])[])[];

/** Why a text is no filter, with the place marked: `need "." at "127.0.0><"`. */
export interface FilterProblem {
  readonly problem: string;
}

interface Token {
  readonly kind: 'octet' | 'end' | 'bad' | '.' | '[' | ']' | ';' | 'other';
  readonly value: number;
  readonly at: number;
  readonly end: number;
}

function tokenAt(text: string, at: number): Token {
  const digits = /^\d+/.exec(text.slice(at))?.[0];
  if (digits !== undefined) {
    const value = Number(digits);
    return { kind: value > 255 ? 'bad' : 'octet', value, at, end: at + digits.length };
  }
  const sign = text.charAt(at);
  const kind = sign === '' ? 'end' : sign === '.' || sign === '[' || sign === ']' || sign === ';' ? sign : 'other';
  return { kind, value: 0, at, end: at + sign.length };
}

type Piece<T> = { readonly part: T; readonly end: number } | FilterProblem;

function complaint(text: string, what: string, { at, end }: Token): FilterProblem {
  return { problem: `${what} at "${text.slice(0, at)}>${text.slice(at, end)}<${text.slice(end)}"` };
}

/** `4`, or `4..6`, up to the sign behind it. */
function parseRange(text: string, start: number): Piece<readonly [number, number]> {
  const first = tokenAt(text, start);
  if (first.kind !== 'octet') return complaint(text, 'need decimal number 0..255', first);
  const dot = tokenAt(text, first.end);
  if (dot.kind !== '.') return { part: [first.value, first.value], end: first.end };
  const second = tokenAt(text, dot.end);
  if (second.kind !== '.') return complaint(text, 'numeric range error', second);
  const last = tokenAt(text, second.end);
  if (last.kind !== 'octet' || last.value < first.value) return complaint(text, 'numeric range error', last);
  return { part: [first.value, last.value], end: last.end };
}

/** A number, or in brackets numbers and ranges between semicolons. */
function parseField(text: string, start: number): Piece<readonly (readonly [number, number])[]> {
  const first = tokenAt(text, start);
  if (first.kind === 'octet') return { part: [[first.value, first.value]], end: first.end };
  if (first.kind !== '[') return complaint(text, 'need decimal number 0..255 or "["', first);
  const ranges: (readonly [number, number])[] = [];
  for (let at = first.end; ;) {
    const range = parseRange(text, at);
    if ('problem' in range) return range;
    ranges.push(range.part);
    const next = tokenAt(text, range.end);
    if (next.kind === ']') return { part: ranges, end: next.end };
    if (next.kind !== ';') return complaint(text, 'need ";" or "]"', next);
    at = next.end;
  }
}

/** Where the bracket at the start is closed; -1: nowhere. */
function closingBracket(text: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === '[') depth += 1;
    if (text[i] === ']') depth -= 1;
    if (depth === 0) return i;
  }
  return -1;
}

/** `127.0.0.[2..4;9]`, in brackets or not. */
export function readAnswerFilter(written: string): AnswerFilter | FilterProblem {
  const closing = written.startsWith('[') ? closingBracket(written) : 0;
  if (closing < 0) return { problem: 'missing "]" character' };
  const isBracketed = closing > 0 && closing === written.length - 1 && /^\[[^\]]*[.[]/.test(written);
  const text = isBracketed ? written.slice(1, -1) : written;
  if (text === '') return { problem: 'empty address pattern' };
  const fields: AnswerFilter[number][] = [];
  for (let at = 0; ;) {
    const field = parseField(text, at);
    if ('problem' in field) return field;
    fields.push(field.part);
    const next = tokenAt(text, field.end);
    if (fields.length === 4) {
      return next.kind === 'end' ? fields : complaint(text, 'garbage after pattern', next);
    }
    if (next.kind !== '.') return complaint(text, 'need "."', next);
    at = next.end;
  }
}

export function answerCounts(filter: AnswerFilter | undefined, address: string): boolean {
  if (filter === undefined) return true;
  return address
    .split('.')
    .every((octet, i) => (filter[i] ?? []).some(([from, to]) => Number(octet) >= from && Number(octet) <= to));
}

/** `2.0.0.127` for an IPv4 address, 32 nibbles for an IPv6 one. */
export function reversedAddress(address: string): string | undefined {
  const parsed = parseIp(address);
  if (parsed === undefined) return undefined;
  const bytes = Array.from(parsed.bytes);
  if (bytes.length === 4) return bytes.toReversed().join('.');
  return bytes
    .flatMap((byte) => [byte >> 4, byte & 15])
    .toReversed()
    .map((nibble) => nibble.toString(16))
    .join('.');
}
