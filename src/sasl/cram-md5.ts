/** CRAM-MD5: the server's challenge, and what a client says to it. RFC 2195 */
import { createHmac, randomInt } from 'node:crypto';
import { isSameDigest } from './digest-md5.ts';

const maxRandom = 2 ** 32;

export function cramChallenge(hostName: string, nowMs: number): string {
  return `<${randomInt(maxRandom)}.${Math.floor(nowMs / 1000)}@${hostName}>`;
}

export interface CramResponse {
  readonly user: string;
  readonly digest: string;
}

/** undefined: no name is in it. */
export function readCramResponse(response: string): CramResponse | undefined {
  const at = response.lastIndexOf(' ');
  return at < 0 ? undefined : { user: response.slice(0, at), digest: response.slice(at + 1) };
}

export function isCramDigest(digest: string, password: Buffer, challenge: string): boolean {
  return isSameDigest(digest, createHmac('md5', password).update(challenge).digest('hex'));
}
