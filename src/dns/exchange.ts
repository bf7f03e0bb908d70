/**
 * One question to one name server: UDP from a random port, TCP when the reply is truncated (RFC 1035, 4.2; RFC 7766).
 *
 * A reply counts only from the server asked, with our id and our question; anything else is waited over (RFC 5452, 9.1).
 */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { familyOf } from '#address';
import { AUTHENTIC_DATA, decode, type DecodedPacket, encode, RECURSION_DESIRED } from 'dns-packet';
import type { DnsType } from './answer.ts';
import { type PlainReply, plainReply } from './plain-reply.ts';
import { rcodes } from './rcodes.ts';

export interface NameServer {
  readonly address: string;
  readonly port: number;
}

export interface Question {
  readonly name: string;
  readonly type: DnsType;
}

export type Exchange =
  | ({ readonly kind: 'reply'; readonly rcode: number; readonly packet: DecodedPacket } & Omit<PlainReply, 'frame'>)
  /** The frame is ours but what it holds can't be read. */
  | { readonly kind: 'malformed' }
  /** Nothing came in time, or the server can't be reached. */
  | { readonly kind: 'silent' };

/** What one UDP reply may hold without fragments (the DNS flag day's figure). */
const udpPayloadBytes = 1232;

export interface Patience {
  /** For a reply, over UDP and again over TCP. */
  readonly timeoutMs: number;
  /** How long after the question a reply over UDP still counts, beyond the timeout. */
  readonly lateMs: number;
  /** Nothing came in time; it still may. */
  readonly onLate: () => void;
  /** Aborted when another server's reply will do. */
  readonly signal: AbortSignal;
}

/** Asks one server once, over UDP and then, if it says so, over TCP. */
export async function ask(
  server: NameServer,
  question: Question,
  patience: Patience,
  randomId: () => number,
): Promise<Exchange> {
  const first = await askOver(udpExchange, server, question, patience, randomId(), true);
  if (first.kind !== 'reply') return first;
  // servers from before EDNS0 answer FORMERR (RFC 6891, 7)
  const heard =
    first.rcode === rcodes.formErr ? await askOver(udpExchange, server, question, patience, randomId(), false) : first;
  if (heard.kind !== 'reply' || !heard.packet.flag_tc) return heard;
  return askOver(tcpExchange, server, question, patience, randomId(), true);
}

type Carrier = (
  server: NameServer,
  query: Buffer,
  patience: Patience,
  accept: (frame: Buffer) => Exchange | undefined,
) => Promise<Exchange>;

function askOver(
  carrier: Carrier,
  server: NameServer,
  question: Question,
  patience: Patience,
  id: number,
  edns: boolean,
): Promise<Exchange> {
  const query = encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ name: question.name, type: question.type, class: 'IN' }],
    ...(edns && {
      additionals: [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: udpPayloadBytes,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ],
    }),
  });
  return carrier(server, query, patience, (frame) => readReply(frame, id, question));
}

/** The reply in a frame; undefined when it answers something else. */
export function readReply(frame: Buffer, id: number, question: Question): Exchange | undefined {
  if (frame.length < 12 || frame.readUInt16BE(0) !== id || (frame.readUInt8(2) & 0x80) === 0) return undefined;
  const rcode = frame.readUInt8(3) & 0x0f;
  const plain = plainReply(frame, question.type);
  if (plain === undefined) return { kind: 'malformed' };
  const { frame: readable, ...found } = plain;
  let packet: DecodedPacket;
  try {
    packet = decode(readable);
  } catch {
    // bytes of a stranger: what can't be read is a broken reply, not a bug
    return { kind: 'malformed' };
  }
  const asked = packet.questions?.[0];
  // who can't read a question may not repeat it
  const isAnswer =
    asked === undefined
      ? rcode !== rcodes.ok
      : asked.type === question.type && asked.name.toLowerCase() === question.name.toLowerCase();
  return isAnswer ? { kind: 'reply', rcode, packet, ...found } : undefined;
}

const udpExchange: Carrier = (server, query, { timeoutMs, lateMs, onLate, signal }, accept) => {
  const { promise, resolve } = Promise.withResolvers<Exchange>();
  const socket = createSocket(familyOf(server.address) === 'ipv6' ? 'udp6' : 'udp4');
  let isOver = false;
  const finish = (result: Exchange): void => {
    isOver = true;
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
    socket.removeAllListeners('message');
    resolve(result);
  };
  const giveUp = (): void => finish({ kind: 'silent' });
  signal.addEventListener('abort', giveUp);
  let timer = setTimeout(() => {
    timer = setTimeout(giveUp, Math.max(lateMs - timeoutMs, 0));
    onLate();
  }, timeoutMs);
  socket.on('error', giveUp);
  socket.on('message', (frame) => {
    const result = accept(frame);
    if (result !== undefined) finish(result);
  });
  // connected: the kernel drops what others send, and reports a refused port at once
  socket.connect(server.port, server.address, (...failure: readonly unknown[]) => {
    // no route to the server: Node hands the error to this callback
    if (failure[0] instanceof Error) giveUp();
    else if (!isOver) socket.send(query);
  });
  return promise.finally(() => socket.close());
};

const tcpExchange: Carrier = (server, query, { timeoutMs, signal }, accept) => {
  const { promise, resolve } = Promise.withResolvers<Exchange>();
  const socket = connect({ host: server.address, port: server.port });
  const giveUp = (): void => resolve({ kind: 'silent' });
  const timer = setTimeout(giveUp, timeoutMs);
  signal.addEventListener('abort', giveUp);
  let held = Buffer.alloc(0);
  socket.on('error', giveUp);
  socket.on('close', giveUp);
  socket.on('data', (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
      const end = 2 + held.readUInt16BE(0);
      const result = accept(held.subarray(2, end));
      if (result !== undefined) resolve(result);
      held = held.subarray(end);
    }
  });
  const head = Buffer.alloc(2);
  head.writeUInt16BE(query.length);
  socket.write(Buffer.concat([head, query]));
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
    socket.destroy();
  });
};
