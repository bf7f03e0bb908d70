/**
 * How the keys of a session came about. Node tells it to clients only; for a server it stands in the session as OpenSSL
 * stores it: the number of the group, RFC 8446, 4.2.7, under a tag of its own.
 */
import type { TLSSocket } from 'node:tls';
import type { KeyExchange } from '#message';

const named = (name: string): KeyExchange => ({ name });
const curve = (name: string): KeyExchange => ({ name: 'ECDHE', curve: name });
const finiteField = (bits: number): KeyExchange => ({ name: 'DHE', bits });

/** By number. IANA "TLS Supported Groups" */
const groups: ReadonlyMap<number, KeyExchange> = new Map([
  [23, curve('prime256v1')],
  [24, curve('secp384r1')],
  [25, curve('secp521r1')],
  [29, named('X25519')],
  [30, named('X448')],
  [256, finiteField(2048)],
  [257, finiteField(3072)],
  [258, finiteField(4096)],
  [259, finiteField(6144)],
  [260, finiteField(8192)],
  [4587, named('SecP256r1MLKEM768')],
  [4588, named('X25519MLKEM768')],
  [4589, named('SecP384r1MLKEM1024')],
]);

/** From what Node tells a client; undefined for exchanges that it doesn't know. */
export function keyExchangeFrom(info: ReturnType<TLSSocket['getEphemeralKeyInfo']>): KeyExchange | undefined {
  if (info === null || !('type' in info)) return undefined;
  if (info.type === 'DH') return finiteField(info.size);
  const name = 'name' in info && typeof info.name === 'string' ? info.name : '';
  if (name === '') return undefined;
  return name.startsWith('X') ? named(name) : curve(name);
}

const sequence = 0x30;
const integer = 0x02;
/** [19] of SSL_SESSION: the group of the key exchange. */
const groupTag = 0xb3;

interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** Where the next one begins. */
  readonly end: number;
}

/** The DER element at a place; undefined when there is no whole one. */
function elementAt(bytes: Buffer, at: number): Element | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + lengthBytes;
  if (lengthBytes > 4 || start > bytes.length) return undefined;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  const end = start + length;
  return end > bytes.length ? undefined : { tag, content: bytes.subarray(start, end), end };
}

/** What a session in OpenSSL's form says of its key exchange; undefined: nothing, or a group without a name here. */
export function keyExchangeOf(session: Buffer | undefined): KeyExchange | undefined {
  const whole = session === undefined ? undefined : elementAt(session, 0);
  if (whole?.tag !== sequence) return undefined;
  let field = elementAt(whole.content, 0);
  while (field !== undefined && field.tag !== groupTag) field = elementAt(whole.content, field.end);
  const number = field === undefined ? undefined : elementAt(field.content, 0);
  if (number?.tag !== integer || number.content.length === 0 || number.content.length > 4) return undefined;
  return groups.get(number.content.readUIntBE(0, number.content.length));
}
