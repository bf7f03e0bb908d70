/**
 * What is said in a handshake. Node does not tell all of it; it comes over the wire, in TLS 1.3 encrypted with keys
 * that Node does tell. RFC 8446, 4, 5.2, 7.3; RFC 5246, 7.4
 */
import { createDecipheriv, createHmac } from 'node:crypto';

interface Suite {
  readonly algorithm: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';
  readonly hash: string;
  readonly keyBytes: number;
}

const suites: ReadonlyMap<string, Suite> = new Map([
  ['TLS_AES_128_GCM_SHA256', { algorithm: 'aes-128-gcm', hash: 'sha256', keyBytes: 16 }],
  ['TLS_AES_256_GCM_SHA384', { algorithm: 'aes-256-gcm', hash: 'sha384', keyBytes: 32 }],
  ['TLS_CHACHA20_POLY1305_SHA256', { algorithm: 'chacha20-poly1305', hash: 'sha256', keyBytes: 32 }],
]);

const recordHeaderBytes = 5;
const ivBytes = 12;
const tagBytes = 16;
const cipherChangeRecord = 20;
const handshakeRecord = 22;
const encryptedRecord = 23;

/** One side's part of a handshake. */
export interface Flight {
  /** As it came over the wire, from the first byte on. */
  readonly bytes: Buffer;
  /** `TLS_AES_128_GCM_SHA256` */
  readonly cipher: string;
  /** CLIENT_HANDSHAKE_TRAFFIC_SECRET or SERVER_…; undefined: TLS older than 1.3. */
  readonly secret: Buffer | undefined;
}

/** No message of a handshake, but seen among them. */
export const changeCipherSpec = -1;

/** Stands for the encrypted Finished of versions before TLS 1.3, of which nothing else can be seen. */
const finishedMessage = 20;

export interface HandshakeMessage {
  /** HandshakeType. RFC 8446, 4 */
  readonly type: number;
  readonly body: Buffer;
}

/** What can be read of it, in order: of a cipher that is not known here, what is not encrypted. */
export function messagesOf({ bytes, cipher, secret }: Flight): readonly HandshakeMessage[] {
  const suite = suites.get(cipher);
  const inner = suite === undefined || secret === undefined ? Buffer.alloc(0) : decrypted(bytes, suite, secret);
  return [...split(inPlaintext(bytes)), ...cipherChange(bytes, secret === undefined), ...split(inner)];
}

/** The change of ciphers, and what comes behind it in older versions. */
function cipherChange(bytes: Buffer, isOld: boolean): readonly HandshakeMessage[] {
  const types = [...recordsOf(bytes)].map(({ header }) => header[0]);
  const at = types.indexOf(cipherChangeRecord);
  if (at < 0) return [];
  const change = { type: changeCipherSpec, body: Buffer.alloc(0) };
  return isOld && types[at + 1] === handshakeRecord
    ? [change, { type: finishedMessage, body: Buffer.alloc(0) }]
    : [change];
}

function* split(messages: Buffer): Generator<HandshakeMessage> {
  for (let at = 0; at + 4 <= messages.length;) {
    const end = at + 4 + messages.readUIntBE(at + 1, 3);
    if (end > messages.length) return;
    yield { type: messages.readUInt8(at), body: messages.subarray(at + 4, end) };
    at = end;
  }
}

const alertRecord = 21;

/** AlertDescription of each alert that is not encrypted. RFC 8446, 6 */
export function alertsIn(bytes: Buffer): readonly number[] {
  const alerts: number[] = [];
  for (const { header, content } of recordsOf(bytes)) {
    if (header[0] === cipherChangeRecord) break;
    const [, description] = content;
    if (header[0] === alertRecord && content.length === 2 && description !== undefined) alerts.push(description);
  }
  return alerts;
}

interface TlsRecord {
  readonly header: Buffer;
  readonly content: Buffer;
}

function* recordsOf(bytes: Buffer): Generator<TlsRecord> {
  for (let at = 0; at + recordHeaderBytes <= bytes.length;) {
    const start = at + recordHeaderBytes;
    const end = start + bytes.readUInt16BE(at + 3);
    if (end > bytes.length) return;
    yield { header: bytes.subarray(at, start), content: bytes.subarray(start, end) };
    at = end;
  }
}

/** Up to the change of ciphers, behind which older versions are encrypted. */
function inPlaintext(bytes: Buffer): Buffer {
  const contents: Buffer[] = [];
  for (const { header, content } of recordsOf(bytes)) {
    if (header[0] === cipherChangeRecord) break;
    if (header[0] === handshakeRecord) contents.push(content);
  }
  return Buffer.concat(contents);
}

/** Up to the first record that can't be read: those behind the handshake have other keys. */
function decrypted(bytes: Buffer, suite: Suite, secret: Buffer): Buffer {
  const key = expand(secret, 'key', suite.keyBytes, suite.hash);
  const iv = expand(secret, 'iv', ivBytes, suite.hash);
  const contents: Buffer[] = [];
  for (const { header, content } of recordsOf(bytes)) {
    if (header[0] !== encryptedRecord) continue;
    const inner = decrypt(content, { suite, key, iv, header, sequence: contents.length });
    if (inner === undefined) break;
    contents.push(inner);
  }
  return Buffer.concat(contents);
}

interface Protection {
  readonly suite: Suite;
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly header: Buffer;
  readonly sequence: number;
}

/** undefined: it has other keys, or is no part of a handshake. */
function decrypt(record: Buffer, { suite, key, iv, header, sequence }: Protection): Buffer | undefined {
  const nonce = Buffer.from(iv);
  nonce.writeUInt32BE((nonce.readUInt32BE(ivBytes - 4) ^ sequence) >>> 0, ivBytes - 4);
  const { algorithm } = suite;
  const decipher =
    algorithm === 'chacha20-poly1305'
      ? createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
      : createDecipheriv(algorithm, key, nonce);
  try {
    decipher.setAAD(header, { plaintextLength: record.length - tagBytes });
    decipher.setAuthTag(record.subarray(-tagBytes));
    const inner = Buffer.concat([decipher.update(record.subarray(0, -tagBytes)), decipher.final()]);
    const end = inner.findLastIndex((byte) => byte !== 0);
    return inner[end] === handshakeRecord ? inner.subarray(0, end) : undefined;
  } catch {
    // the first record with the keys of what comes behind the handshake
    return undefined;
  }
}

/** HKDF-Expand-Label, for what fits in one hash. RFC 8446, 7.1 */
function expand(secret: Buffer, label: string, lengthBytes: number, hash: string): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([0, lengthBytes, name.length]), name, Buffer.from([0, 1])]);
  return createHmac(hash, secret).update(info).digest().subarray(0, lengthBytes);
}
