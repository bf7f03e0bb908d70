/**
 * The states that a handshake went through, in OpenSSL's words, by the messages that were seen. What shows in none of them,
 * and tickets of TLS 1.3, are not told. SSL_state_string_long(3), SSL_alert_desc_string_long(3)
 */
import { changeCipherSpec, type HandshakeMessage } from './handshake-messages.ts';

const clientHello = 1;
const serverHelloDone = 14;
const finished = 20;
const encryptedExtensions = 8;

export const helloRead = 'SSLv3/TLS read client hello';
export const certificateRead = 'SSLv3/TLS read client certificate';

/** By type of message. RFC 8446, 4; RFC 5246, 7.4 */
const read: ReadonlyMap<number, string> = new Map([
  [clientHello, helloRead],
  [11, certificateRead],
  [15, 'SSLv3/TLS read certificate verify'],
  [16, 'SSLv3/TLS read client key exchange'],
  [finished, 'SSLv3/TLS read finished'],
  [changeCipherSpec, 'SSLv3/TLS read change cipher spec'],
]);
const written: ReadonlyMap<number, string> = new Map([
  [2, 'SSLv3/TLS write server hello'],
  [4, 'SSLv3/TLS write session ticket'],
  [encryptedExtensions, 'TLSv1.3 write encrypted extensions'],
  [11, 'SSLv3/TLS write certificate'],
  [12, 'SSLv3/TLS write key exchange'],
  [13, 'SSLv3/TLS write certificate request'],
  [serverHelloDone, 'SSLv3/TLS write server done'],
  [15, 'SSLv3/TLS write certificate verify'],
  [finished, 'SSLv3/TLS write finished'],
  [changeCipherSpec, 'SSLv3/TLS write change cipher spec'],
]);

const writtenNow: ReadonlyMap<number, string> = new Map([...written, [15, 'TLSv1.3 write server certificate verify']]);

const beforeAll = 'before SSL initialization';
/** OpenSSL goes through this state between the server's last message and the client's answer, with or without such data. */
const earlyData = 'TLSv1.3 early data';

/** `client`, `server`: their messages, each side's in order. */
export function statesOf(client: readonly HandshakeMessage[], server: readonly HandshakeMessage[]): readonly string[] {
  const isNew = server.some(({ type }) => type === encryptedExtensions);
  const named = (messages: readonly HandshakeMessage[], names: ReadonlyMap<number, string>): readonly string[] =>
    messages.flatMap(({ type }) => names.get(type) ?? []);
  // the server speaks up to here before the client answers
  const last = server.findIndex(({ type }) => type === (isNew ? finished : serverHelloDone));
  const turn = last < 0 ? server.length : last + 1;
  const isHello = ({ type }: HandshakeMessage): boolean => type === clientHello;
  // in TLS 1.3 it is sent for the sake of old middleboxes only, and is not read. RFC 8446, D.4
  const isFiller = ({ type }: HandshakeMessage): boolean => isNew && type === changeCipherSpec;
  const answer = client.filter((message) => !isHello(message) && !isFiller(message));
  return [
    beforeAll,
    beforeAll,
    ...named(client.filter(isHello), read),
    ...named(server.slice(0, turn), isNew ? writtenNow : written),
    ...(isNew && last >= 0 ? [earlyData, earlyData] : []),
    ...named(answer, read),
    ...named(server.slice(turn), written),
  ];
}

/** RFC 8446, 6 */
const alerts: ReadonlyMap<number, string> = new Map([
  [10, 'unexpected message'],
  [20, 'bad record mac'],
  [22, 'record overflow'],
  [40, 'handshake failure'],
  [42, 'bad certificate'],
  [43, 'unsupported certificate'],
  [44, 'certificate revoked'],
  [45, 'certificate expired'],
  [46, 'certificate unknown'],
  [47, 'illegal parameter'],
  [48, 'unknown CA'],
  [49, 'access denied'],
  [50, 'decode error'],
  [51, 'decrypt error'],
  [70, 'protocol version'],
  [71, 'insufficient security'],
  [80, 'internal error'],
  [86, 'inappropriate fallback'],
  [109, 'missing extension'],
  [110, 'unsupported extension'],
  [112, 'unrecognized name'],
  [116, 'certificate required'],
  [120, 'no application protocol'],
]);

export interface BrokenHandshake {
  readonly client: readonly HandshakeMessage[];
  readonly server: readonly HandshakeMessage[];
  /** The first byte of the client says that it speaks TLS. */
  readonly isTls: boolean;
  /** Those that the server sent. */
  readonly alerts: readonly number[];
}

/** Of a handshake that the library has ended; the client's first words count as read only when they were answered. */
export function brokenStatesOf({ client, server, isTls, alerts: sent }: BrokenHandshake): readonly string[] {
  const reached = server.length > 0 ? statesOf(client, server) : isTls ? [beforeAll, beforeAll] : [beforeAll];
  const said = sent.map((number) => `SSL3 alert write:fatal:${alerts.get(number) ?? 'unknown'}`);
  return [...reached, ...said, 'error in error'];
}
