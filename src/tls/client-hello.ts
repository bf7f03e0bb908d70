/** The first words of a client, looked at before anybody answers. RFC 8446, 4.1.2; RFC 6066, 3 */
import type { Duplex } from 'node:stream';

const recordHeaderBytes = 5;
const messageHeaderBytes = 4;
const handshakeRecord = 22;
const serverNameExtension = 0;
const hostNameType = 0;
/** Nobody has that much to say at first. */
const maxHelloBytes = 1 << 16;

/** Waits for the whole of it, or for what can't become one, and puts it back. Undefined: the client has gone. */
export function readHello(stream: Duplex): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    let bytes: Buffer = Buffer.alloc(0);
    const settle = (result: Buffer | undefined): void => {
      stream.off('readable', take);
      stream.off('end', onClose);
      stream.off('close', onClose);
      if (result !== undefined && !stream.destroyed) stream.unshift(result);
      resolve(result);
    };
    const onClose = (): void => settle(undefined);
    const take = (): void => {
      for (let part: unknown = stream.read(); Buffer.isBuffer(part); part = stream.read()) {
        bytes = Buffer.concat([bytes, part]);
      }
      if (stream.readableEnded) settle(undefined);
      else if (isWhole(bytes)) settle(bytes);
    };
    stream.on('readable', take);
    stream.once('end', onClose);
    stream.once('close', onClose);
    take();
  });
}

function isWhole(bytes: Buffer): boolean {
  if (bytes.length === 0) return false;
  if (bytes[0] !== handshakeRecord || bytes.length > maxHelloBytes) return true;
  const message = messageIn(bytes);
  return message.length >= messageHeaderBytes && message.length >= messageHeaderBytes + message.readUIntBE(1, 3);
}

/** What its records hold. */
function messageIn(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + recordHeaderBytes <= bytes.length && bytes[at] === handshakeRecord;) {
    const end = at + recordHeaderBytes + bytes.readUInt16BE(at + 3);
    parts.push(bytes.subarray(at + recordHeaderBytes, end));
    at = end;
  }
  return Buffer.concat(parts);
}

/** The name that the client asks for; '' when it asks for none, or can't be understood. */
export function serverNameIn(hello: Buffer): string {
  try {
    return nameOf(messageIn(hello).subarray(messageHeaderBytes));
  } catch {
    // OpenSSL says what is wrong with it
    return '';
  }
}

/** Throws when it ends too early. */
function nameOf(body: Buffer): string {
  // version and random value
  let at = 2 + 32;
  at += 1 + body.readUInt8(at);
  at += 2 + body.readUInt16BE(at);
  at += 1 + body.readUInt8(at);
  if (at + 2 > body.length) return '';
  for (at += 2; at + 4 <= body.length;) {
    const type = body.readUInt16BE(at);
    const end = at + 4 + body.readUInt16BE(at + 2);
    if (type === serverNameExtension && end - at > 9 && body.readUInt8(at + 6) === hostNameType) {
      return body.toString('latin1', at + 9, at + 9 + body.readUInt16BE(at + 7));
    }
    at = end;
  }
  return '';
}
