/** Bytes of a connection in the log, in hexadecimal and as text. postconf(5) smtpd_tls_loglevel */
import type { Direction } from './handshake-recorder.ts';

const rowBytes = 16;
const halfRow = 8;
const recordHeaderBytes = 5;

/** As rows: `0000 16 03 01 …  ...`; blanks and zeros at the end are only counted. */
export function dumpRows(bytes: Buffer): readonly string[] {
  const end = bytes.findLastIndex((byte) => byte !== 0 && byte !== 0x20) + 1;
  const rows: string[] = [];
  for (let at = 0; at < end; at += rowBytes) {
    const row = [...bytes.subarray(at, Math.min(at + rowBytes, end))];
    const hex = row.map((byte, place) => byte.toString(16).padStart(2, '0') + (place === halfRow - 1 ? '|' : ' '));
    const text = row.map((byte) => (byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : '.')).join('');
    const halves = text.length > halfRow ? `${text.slice(0, halfRow)} ${text.slice(halfRow)}` : text;
    rows.push(`${place(at)} ${hex.join('').padEnd(rowBytes * 3)} ${halves}`);
  }
  return end === bytes.length ? rows : [...rows, `${place(bytes.length)} - <SPACES/NULS>`];
}

const place = (at: number): string => at.toString(16).padStart(4, '0');

/** Tells of what comes in record by record, as OpenSSL reads it, and of what goes out as it goes. */
export class WireTrace {
  readonly #client: string;
  readonly #tell: (text: string) => void;
  #waiting: Buffer = Buffer.alloc(0);

  constructor(client: string, tell: (text: string) => void) {
    this.#client = client;
    this.#tell = tell;
  }

  add(direction: Direction, bytes: Buffer): void {
    if (direction === 'out') return this.#dump('write to', bytes);
    this.#waiting = Buffer.concat([this.#waiting, bytes]);
    for (;;) {
      const waiting = this.#waiting;
      const end = waiting.length < recordHeaderBytes ? Infinity : recordHeaderBytes + waiting.readUInt16BE(3);
      if (end > waiting.length) return;
      this.#dump('read from', waiting.subarray(0, recordHeaderBytes));
      this.#dump('read from', waiting.subarray(recordHeaderBytes, end));
      this.#waiting = waiting.subarray(end);
    }
  }

  #dump(what: string, bytes: Buffer): void {
    const { length } = bytes;
    this.#tell(`${what} ${this.#client} (${length} bytes => ${length} (0x${length.toString(16).toUpperCase()}))`);
    for (const row of dumpRows(bytes)) this.#tell(row);
  }
}
