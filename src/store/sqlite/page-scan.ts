/**
 * Rows of a damaged database, read page by page without the trees that lead to them: a page that is whole gives its
 * rows, whatever became of the others. sqlite.org/fileformat2.html, sections 1.6, 2.1 and 4
 *
 * No text of a message can pass for a page of rows: pages with overflowing content begin with a page number, whose
 * first byte is 0 in any file below 1.7 TB.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { pageBytes } from './schema.ts';

export type ScannedValue = number | string | Uint8Array | null;

export interface ScannedRow {
  readonly rowid: number;
  readonly values: readonly ScannedValue[];
}

const leafPage = 0x0d;
const fileHeaderBytes = 100;
const walHeaderBytes = 32;
const frameHeaderBytes = 24;

/** All rows of all tables. A deleted row can come back only when the list of free pages is damaged too. */
export function* scanRows(path: string): Iterable<ScannedRow> {
  const pages = new Pages(path);
  try {
    const free = freePages(pages);
    for (let number = 1; number <= pages.count; number += 1) {
      if (!free.has(number)) yield* rowsOfPage(pages, number);
    }
  } finally {
    pages.close();
  }
}

/** Pages as the last commit left them: those in the write-ahead log come before those in the file. */
class Pages {
  readonly #file: number;
  readonly #log: Buffer;
  readonly #logged: ReadonlyMap<number, number>;
  readonly count: number;

  constructor(path: string) {
    this.#file = openSync(path, 'r');
    this.#log = readLog(`${path}-wal`);
    this.#logged = loggedPages(this.#log);
    this.count = Math.max(Math.ceil(fstatSync(this.#file).size / pageBytes), ...this.#logged.keys(), 0);
  }

  page(number: number): Buffer | undefined {
    if (number < 1 || number > this.count) return undefined;
    const at = this.#logged.get(number);
    if (at !== undefined) return this.#log.subarray(at, at + pageBytes);
    const page = Buffer.alloc(pageBytes);
    readSync(this.#file, page, 0, pageBytes, (number - 1) * pageBytes);
    return page;
  }

  close(): void {
    closeSync(this.#file);
  }
}

function readLog(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0); // it was checkpointed: there is none
  }
}

/** Where the newest committed frame of each page begins. */
function loggedPages(log: Buffer): ReadonlyMap<number, number> {
  const committed = new Map<number, number>();
  if (log.length < walHeaderBytes || log.readUInt32BE(8) !== pageBytes) return committed;
  const read = (log.readUInt32BE(0) & 1) === 1 ? readBigEndian : readLittleEndian;
  const pending = new Map<number, number>();
  let sums = checksum(log.subarray(0, 24), [0, 0], read);
  for (let at = walHeaderBytes; at + frameHeaderBytes + pageBytes <= log.length; at += frameHeaderBytes + pageBytes) {
    const frame = log.subarray(at, at + frameHeaderBytes + pageBytes);
    if (!frame.subarray(8, 16).equals(log.subarray(16, 24))) break;
    sums = checksum(frame.subarray(frameHeaderBytes), checksum(frame.subarray(0, 8), sums, read), read);
    if (sums[0] !== frame.readUInt32BE(16) || sums[1] !== frame.readUInt32BE(20)) break;
    pending.set(frame.readUInt32BE(0), at + frameHeaderBytes);
    if (frame.readUInt32BE(4) === 0) continue;
    for (const [page, place] of pending) committed.set(page, place);
    pending.clear();
  }
  return committed;
}

type Sums = readonly [number, number];
type ReadWord = (bytes: Buffer, at: number) => number;
const readBigEndian: ReadWord = (bytes, at) => bytes.readUInt32BE(at);
const readLittleEndian: ReadWord = (bytes, at) => bytes.readUInt32LE(at);

function checksum(bytes: Buffer, [first, second]: Sums, read: ReadWord): Sums {
  let a = first;
  let b = second;
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    a = (a + read(bytes, at) + b) >>> 0;
    b = (b + read(bytes, at + 4) + a) >>> 0;
  }
  return [a, b];
}

/** Pages that hold nothing any more, as far as the list can be followed. */
function freePages(pages: Pages): ReadonlySet<number> {
  const free = new Set<number>();
  const header = pages.page(1);
  if (header === undefined || header.toString('latin1', 0, 15) !== 'SQLite format 3') return free;
  let trunk = header.readUInt32BE(32);
  while (trunk !== 0 && !free.has(trunk)) {
    const page = pages.page(trunk);
    if (page === undefined) break;
    const count = page.readUInt32BE(4);
    if (count > pageBytes / 4 - 2) break; // not a page of the list
    free.add(trunk);
    for (let i = 0; i < count; i += 1) free.add(page.readUInt32BE(8 + 4 * i));
    trunk = page.readUInt32BE(0);
  }
  return free;
}

function* rowsOfPage(pages: Pages, number: number): Iterable<ScannedRow> {
  const page = pages.page(number);
  const start = number === 1 ? fileHeaderBytes : 0;
  if (page === undefined || page[start] !== leafPage) return;
  const count = page.readUInt16BE(start + 3);
  for (let i = 0; i < count && start + 10 + 2 * i <= pageBytes; i += 1) {
    let row: ScannedRow | undefined;
    try {
      row = readCell(pages, page, page.readUInt16BE(start + 8 + 2 * i));
    } catch {
      row = undefined; // the cell points outside of what is there: it is damaged
    }
    if (row !== undefined) yield row;
  }
}

function readCell(pages: Pages, page: Buffer, at: number): ScannedRow | undefined {
  const [payloadBytes, afterSize] = readVarint(page, at);
  const [rowid, begin] = readVarint(page, afterSize);
  const payload = readPayload(pages, page, { begin, payloadBytes });
  return payload === undefined ? undefined : { rowid, values: readRecord(payload) };
}

/** The bytes of a row: what the page holds, and the rest from the pages it names. */
function readPayload(
  pages: Pages,
  page: Buffer,
  { begin, payloadBytes }: { readonly begin: number; readonly payloadBytes: number },
): Buffer | undefined {
  const largest = pageBytes - 35;
  if (payloadBytes <= largest)
    return begin + payloadBytes <= pageBytes ? page.subarray(begin, begin + payloadBytes) : undefined;
  if (payloadBytes > pages.count * pageBytes) return undefined;
  const smallest = Math.floor(((pageBytes - 12) * 32) / 255) - 23;
  const wanted = smallest + ((payloadBytes - smallest) % (pageBytes - 4));
  const here = wanted <= largest ? wanted : smallest;
  const parts = [page.subarray(begin, begin + here)];
  let left = payloadBytes - here;
  for (let next = page.readUInt32BE(begin + here); left > 0;) {
    const more = pages.page(next);
    if (more === undefined) return undefined;
    parts.push(more.subarray(4, 4 + Math.min(left, pageBytes - 4)));
    left -= pageBytes - 4;
    next = more.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

function readRecord(payload: Buffer): readonly ScannedValue[] {
  const values: ScannedValue[] = [];
  const [headerBytes, first] = readVarint(payload, 0);
  let place = headerBytes;
  for (let at = first; at < headerBytes;) {
    const [type, next] = readVarint(payload, at);
    const length = valueBytes(type);
    if (place + length > payload.length) throw new RangeError('a value ends outside of its row');
    values.push(readValue(payload, type, place));
    place += length;
    at = next;
  }
  return values;
}

const integerBytes = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

function valueBytes(type: number): number {
  return integerBytes[type] ?? Math.floor((type - 12) / 2);
}

function readValue(payload: Buffer, type: number, at: number): ScannedValue {
  if (type === 0) return null;
  if (type === 6) return Number(payload.readBigInt64BE(at));
  if (type === 7) return payload.readDoubleBE(at);
  if (type < 8) return payload.readIntBE(at, valueBytes(type));
  if (type < 10) return type - 8;
  const bytes = payload.subarray(at, at + valueBytes(type));
  return type % 2 === 1 ? bytes.toString('utf8') : bytes;
}

/** A number of up to nine bytes, seven bits each, and where it ends. */
function readVarint(bytes: Buffer, at: number): readonly [value: number, end: number] {
  let value = 0;
  for (let i = at; i < at + 8; i += 1) {
    const byte = bytes.readUInt8(i);
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return [value, i + 1];
  }
  return [value * 256 + bytes.readUInt8(at + 8), at + 9];
}
