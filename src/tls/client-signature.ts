/**
 * What a client has signed its handshake with. Node does not tell; it stands in the client's CertificateVerify, which is
 * encrypted with keys that Node does tell. RFC 8446, 4.4.3, 5.2, 7.3
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

/** Digests of the schemes of RSA keys; those of other keys are settled by the key. RFC 8446, 4.2.3 */
const digests: ReadonlyMap<number, string> = new Map([
  [0x0804, 'SHA256'],
  [0x0805, 'SHA384'],
  [0x0806, 'SHA512'],
  [0x0809, 'SHA256'],
  [0x080a, 'SHA384'],
  [0x080b, 'SHA512'],
]);

const recordHeaderBytes = 5;
const ivBytes = 12;
const tagBytes = 16;
const handshakeRecord = 22;
const encryptedRecord = 23;
const certificateVerify = 15;

/** A client's part of a handshake of TLS 1.3. */
export interface ClientFlight {
  /** As it came over the wire, from the first byte on. */
  readonly bytes: Buffer;
  /** `TLS_AES_128_GCM_SHA256` */
  readonly cipher: string;
  /** CLIENT_HANDSHAKE_TRAFFIC_SECRET */
  readonly secret: Buffer;
}

/** `SHA256`; undefined: the client has not signed, or its key settles the digest. */
export function clientDigest({ bytes, cipher, secret }: ClientFlight): string | undefined {
  const suite = suites.get(cipher);
  if (suite === undefined) return undefined;
  const messages = handshakeMessages(bytes, suite, secret);
  for (let at = 0; at + 4 <= messages.length; at += 4 + messages.readUIntBE(at + 1, 3)) {
    if (messages[at] === certificateVerify && at + 6 <= messages.length) {
      return digests.get(messages.readUInt16BE(at + 4));
    }
  }
  return undefined;
}

/** What is inside of the encrypted records, up to the first that can't be read: those behind the handshake have other keys. */
function handshakeMessages(bytes: Buffer, suite: Suite, secret: Buffer): Buffer {
  const key = expand(secret, 'key', suite.keyBytes, suite.hash);
  const iv = expand(secret, 'iv', ivBytes, suite.hash);
  const messages: Buffer[] = [];
  let sequence = 0;
  for (let at = 0; at + recordHeaderBytes <= bytes.length;) {
    const header = bytes.subarray(at, at + recordHeaderBytes);
    const end = at + recordHeaderBytes + header.readUInt16BE(3);
    if (end > bytes.length) break;
    if (header[0] === encryptedRecord) {
      const inner = decrypt(bytes.subarray(at + recordHeaderBytes, end), { suite, key, iv, header, sequence });
      if (inner === undefined) break;
      messages.push(inner);
      sequence += 1;
    }
    at = end;
  }
  return Buffer.concat(messages);
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
