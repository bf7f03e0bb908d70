/** `tcp:` tables: a server that is asked in lines, `get key`. tcp_table(5) */
import { isUtf8 } from 'node:buffer';
import { bytesOf } from '#message';
import { missing } from './memory-table.ts';
import type { LookupResult, Table } from './table.ts';
import { type AnswerReader, type Endpoint, isPort, TableServer } from './table-server.ts';

const maxLine = 4096;
const maxTries = 10;
const retryMs = 1000;
const maxReplyShown = 100;

/** `%XX` for what is no printable character, and for `%` itself. */
function encode(key: string): string {
  let out = '';
  for (const byte of bytesOf(key)) {
    const isPlain = byte > 0x20 && byte < 0x7f && byte !== 0x25;
    out += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** Undefined for a `%` that stands for nothing. */
function decode(text: Buffer): Buffer | undefined {
  const latin = text.toString('latin1');
  if (/%(?![0-9A-Fa-f]{2})/.test(latin)) return undefined;
  const bytes = latin.replaceAll(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return Buffer.from(bytes, 'latin1');
}

const readLine: AnswerReader = (received) => {
  const end = received.indexOf('\n');
  if (end > maxLine || (end < 0 && received.length > maxLine)) return { problem: `text longer than ${maxLine}` };
  return end < 0 ? undefined : { bytes: received.subarray(0, end) };
};

function parseEndpoint(text: string): Endpoint | undefined {
  const [, bracketed, plain, port] = /^(?:\[(.*)\]|(.*)):(\d+)$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (port === undefined || host === undefined || !isPort(port)) return undefined;
  return { host: host === '' ? 'localhost' : host, port: Number(port) };
}

export function tcpTable(name: string, address: string, warn: (text: string) => void): Table {
  const endpoint = parseEndpoint(address);
  const server =
    endpoint === undefined ? undefined : new TableServer({ endpoint, read: readLine, disconnected: 'unexpected EOF' });

  const judge = (reply: Buffer): LookupResult => {
    const text = reply.toString('latin1');
    const bad = (what: string): LookupResult => {
      warn(`read TCP map reply from ${address}: ${what}: ${text.slice(0, maxReplyShown)}`);
      return { kind: 'failed', reason: what };
    };
    const value = decode(reply.subarray(4));
    if (!/^\d\d\d\s/.test(text) || value === undefined) return bad('malformed reply');
    switch (text.slice(0, 3)) {
      case '500':
        return missing;
      case '400':
        return { kind: 'failed', reason: 'Resource temporarily unavailable' };
      case '200':
        if (isUtf8(value)) return { kind: 'found', value: value.toString() };
        return { kind: 'failed', reason: '' };
      default:
        return bad('bad status code');
    }
  };

  /** A server may be restarting: it gets its time. */
  const lookup = async (key: string): Promise<LookupResult> => {
    const question = Buffer.from(`get ${encode(key)}\n`);
    for (let tries = 1; ; tries += 1) {
      const answer = await server?.ask(question);
      if (answer?.kind === 'answer') return judge(answer.bytes);
      const problem = answer?.problem ?? 'Cannot assign requested address';
      if (answer?.during === 'talk') warn(`read TCP map reply from ${address}: ${problem}`);
      else warn(`connect to TCP map ${address}: ${problem}`);
      if (tries === maxTries) return { kind: 'failed', reason: problem };
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  };

  return { name, acceptsPartialKeys: false, lookup, close: () => server?.close() };
}
