/** What a client shows of who it is, in the messages of its handshake. RFC 8446, 4.4; RFC 5246, 7.4.2 */
import { X509Certificate } from 'node:crypto';
import { oneLine } from './certificate.ts';
import type { HandshakeMessage } from './handshake-messages.ts';

const certificateType = 11;
const certificateVerifyType = 15;

/** Digests of the schemes of RSA keys; those of other keys are settled by the key. RFC 8446, 4.2.3 */
const digests: ReadonlyMap<number, string> = new Map([
  [0x0804, 'SHA256'],
  [0x0805, 'SHA384'],
  [0x0806, 'SHA512'],
  [0x0809, 'SHA256'],
  [0x080a, 'SHA384'],
  [0x080b, 'SHA512'],
]);

/** `SHA256`; undefined: the client has not signed, or its key settles the digest. */
export function clientDigest(messages: readonly HandshakeMessage[]): string | undefined {
  const body = messages.find(({ type }) => type === certificateVerifyType)?.body;
  return body === undefined || body.length < 2 ? undefined : digests.get(body.readUInt16BE());
}

/** The certificates behind the client's own that it sent along, as it sent them. */
export function sentAuthorities(messages: readonly HandshakeMessage[], protocol: string): readonly X509Certificate[] {
  const body = messages.find(({ type }) => type === certificateType)?.body ?? Buffer.alloc(0);
  const isNew = protocol === 'TLSv1.3';
  // a context stands before the list, and extensions behind each certificate
  const start = isNew ? 1 + (body[0] ?? 0) : 0;
  const certificates: X509Certificate[] = [];
  for (let at = start + 3; at + 3 <= body.length;) {
    const end = at + 3 + body.readUIntBE(at, 3);
    if (end > body.length) break;
    certificates.push(new X509Certificate(body.subarray(at + 3, end)));
    at = isNew && end + 2 <= body.length ? end + 2 + body.readUInt16BE(end) : end;
  }
  return certificates.slice(1);
}

/** As OpenSSL bounds it. */
const longestChain = 100;

/**
 * From the client's own certificate to the last of those that vouch for it. Those that are known here go before those that
 * the client sent. X509_verify_cert(3)
 */
export function chainOf(
  own: X509Certificate,
  sent: readonly X509Certificate[],
  known: readonly X509Certificate[],
): readonly X509Certificate[] {
  const chain = [own];
  for (;;) {
    const last = chain.at(-1) ?? own;
    const vouchesFor = (other: X509Certificate): boolean =>
      !chain.some((member) => member.fingerprint256 === other.fingerprint256) && last.checkIssued(other);
    const next = known.find(vouchesFor) ?? sent.find(vouchesFor);
    if (next === undefined || chain.length > longestChain) return chain;
    chain.push(next);
  }
}

/** A step of the verification: a certificate, by its place in the chain, that was found to be good or not. */
export interface VerifyStep {
  readonly depth: number;
  readonly isGood: boolean;
  /** `/CN=name` */
  readonly subject: string;
}

/** In the order of OpenSSL, from the last authority to the client's own; `problem`: OpenSSL's code; undefined: none. */
export function verifySteps(chain: readonly X509Certificate[], problem: string | undefined): readonly VerifyStep[] {
  const good = chain.map(({ subject }, depth) => ({ depth, isGood: true, subject: oneLine(subject) })).toReversed();
  const own = good.at(-1);
  if (problem === undefined || own === undefined) return good;
  const bad = { ...own, isGood: false };
  // nobody is there to vouch for it, and so its signature can't be checked either
  const isTwice = problem === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';
  return [...good.slice(0, -1), bad, ...(isTwice ? [bad] : []), own];
}
