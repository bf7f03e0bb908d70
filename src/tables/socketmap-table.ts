/** `socketmap:` tables: a server that is asked in netstrings. socketmap_table(5) */
import { isUtf8 } from 'node:buffer';
import { bytesOf, printable, textOf } from '#message';
import { missing } from './memory-table.ts';
import type { LookupResult, Table } from './table.ts';
import { type AnswerReader, type Endpoint, isPort, type ServerAnswer, TableServer } from './table-server.ts';

export interface SocketmapOptions {
  /** socketmap_max_reply_size */
  readonly maxReplySize: number;
  /** socketmap_max_query_size */
  readonly maxQuerySize: number;
  readonly queueDirectory: string;
  readonly warn: (text: string) => void;
}

/** What a server may answer besides OK and NOTFOUND. */
const errorNames: Readonly<Record<string, string>> = { TEMP: 'temporary', TIMEOUT: 'timeout', PERM: 'permanent' };
const maxReasonShown = 200;
const disconnected = 'unexpected disconnect';

/** `inet:host:port` or `unix:path`; a text says what is wrong. */
function parseEndpoint(text: string, queueDirectory: string): { endpoint: Endpoint; shown: string } | string {
  const [, transport, rest = ''] = /^([^:]*):([^]*)$/.exec(text) ?? [];
  if (transport === undefined) return `need service transport:endpoint instead of "${text}"`;
  if (transport === 'unix') {
    const path = rest.startsWith('/') ? rest : `${queueDirectory}/${rest}`;
    return { endpoint: { path }, shown: rest };
  }
  if (transport !== 'inet') return `invalid transport name: ${transport} in service: ${text}`;
  const colon = rest.lastIndexOf(':');
  const host = rest.slice(0, Math.max(colon, 0)).replace(/^\[(.*)\]$/, '$1');
  const port = rest.slice(colon + 1);
  if (!/^\d+$/.test(port)) return `${port}: garbage after numerical service`;
  if (!isPort(port)) return `${port}: no such port`;
  return { endpoint: { host: host === '' ? 'localhost' : host, port: Number(port) }, shown: rest };
}

/** As warnings and reasons have it. */
function shownBytes(bytes: Buffer): string {
  return printable(textOf(bytes), '?', false);
}

/** `5:hello,` */
function netstringReader(maxSize: number): AnswerReader {
  return (received) => {
    const colon = received.indexOf(':');
    const digits = received.toString('latin1', 0, colon < 0 ? received.length : colon);
    if (!/^\d{0,9}$/.test(digits) || (colon >= 0 && digits === '')) return { problem: 'input format error' };
    if (Number(digits) > maxSize) return { problem: 'input exceeds size limit' };
    const end = colon + 1 + Number(digits);
    if (colon < 0 || received.length <= end) return undefined;
    if (received.toString('latin1', end, end + 1) !== ',') return { problem: 'input format error' };
    return { bytes: received.subarray(colon + 1, end) };
  };
}

/** A text says why it can't be opened. */
export function socketmapTable(name: string, text: string, options: SocketmapOptions): Table | string {
  const { warn, maxQuerySize } = options;
  const colon = text.lastIndexOf(':');
  if (colon < 0) return 'socketmap requires server:socketmap argument';
  const where = parseEndpoint(text.slice(0, colon), options.queueDirectory);
  if (typeof where === 'string') return where;
  const map = text.slice(colon + 1);
  const { endpoint, shown } = where;
  const server = new TableServer({ endpoint, read: netstringReader(options.maxReplySize), disconnected });

  /** A server may have gone between two questions: one that hangs up is asked once more. */
  const ask = async (question: Buffer): Promise<ServerAnswer> => {
    const answer = await server.ask(question);
    return answer.kind === 'failed' && answer.problem === disconnected ? server.ask(question) : answer;
  };

  const judge = (key: string, reply: Buffer): LookupResult => {
    const space = reply.indexOf(' ');
    const status = reply.toString('latin1', 0, space < 0 ? reply.length : space);
    const payload = space < 0 ? undefined : reply.subarray(space + 1);
    if (status === 'NOTFOUND' || (status === 'OK' && payload === undefined)) return missing;
    if (status === 'OK' && payload !== undefined) {
      if (isUtf8(payload)) return { kind: 'found', value: payload.toString() };
      warn(`${name}: key "${key}": non-UTF-8 value "${shownBytes(payload)}": malformed UTF-8 or invalid codepoint`);
      return { kind: 'failed', reason: '' };
    }
    const reason = payload === undefined ? '' : shownBytes(payload).slice(0, maxReasonShown);
    const what = errorNames[status] ?? 'unknown';
    warn(`${name} socketmap server ${what} error${reason === '' ? '' : `: ${reason}`}`);
    return { kind: 'failed', reason: status === 'PERM' ? '' : reason };
  };

  return {
    name,
    acceptsPartialKeys: false,
    lookup: async (key) => {
      const query = bytesOf(`${map} ${key}`);
      if (query.length > maxQuerySize) {
        warn(`${name}: query exceeds the limit of ${maxQuerySize} bytes (socketmap_max_query_size)`);
        return missing;
      }
      const answer = await ask(Buffer.concat([Buffer.from(`${query.length}:`), query, Buffer.from(',')]));
      if (answer.kind === 'answer') return judge(key, answer.bytes);
      if (answer.during === 'connect') warn(`connect to ${shown}: ${answer.problem}`);
      warn(`table ${name} lookup error: ${answer.problem}`);
      return { kind: 'failed', reason: answer.problem };
    },
    close: () => server.close(),
  };
}
