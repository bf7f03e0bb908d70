/** SCRAM as a client holds it, without channel binding. RFC 5802, 3, 5 */
import { randomBytes } from 'node:crypto';
import { keysOf, proofOf, scramHashes } from './scram.ts';

/** From the strongest. */
export const scramMechanisms: readonly string[] = [...scramHashes.keys()];

const gs2Header = 'n,,';
const nonceBytes = 24;
/** A server that asks for more would keep a thread busy for longer than mail should wait. */
const mostIterations = 1_000_000;

export interface ScramClientOptions {
  readonly mechanism: string;
  readonly username: string;
  readonly password: string;
  /** Printable, without commas; the default is a random one. */
  readonly nonce?: string;
}

/**
 * Gives the client's message for each of the server's, an empty one to begin with.
 * undefined: the server makes no sense, or does not know the password itself.
 */
export function scramClient({
  mechanism,
  username,
  password,
  nonce = randomBytes(nonceBytes).toString('base64'),
}: ScramClientOptions): (message: Buffer) => Promise<string | undefined> {
  const name = username.replaceAll('=', '=3D').replaceAll(',', '=2C');
  const bare = `n=${name},r=${nonce}`;
  let signature: string | undefined;
  let hasBegun = false;
  return async (message) => {
    const said = message.toString('utf8');
    if (!hasBegun) {
      hasBegun = true;
      return gs2Header + bare;
    }
    // the server has shown that it knows the password, which is answered with nothing
    if (signature !== undefined) return said === `v=${signature}` ? '' : undefined;
    const offer = readServerFirst(said, nonce);
    if (offer === undefined) return undefined;
    const keys = await keysOf(mechanism, Buffer.from(password, 'utf8'), offer);
    const withoutProof = `c=${Buffer.from(gs2Header).toString('base64')},r=${offer.nonce}`;
    const proven = proofOf(mechanism, keys, `${bare},${said},${withoutProof}`);
    ({ signature } = proven);
    return `${withoutProof},p=${proven.proof}`;
  };
}

interface ServerFirst {
  /** Of both sides. */
  readonly nonce: string;
  readonly salt: Buffer;
  readonly iterations: number;
}

/** undefined: it is not to be understood, asks for too much, or is an answer to somebody else. */
function readServerFirst(said: string, own: string): ServerFirst | undefined {
  const [, nonce = '', salt = '', count = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)(?:,|$)/.exec(said) ?? [];
  const iterations = Number(count);
  const isSound = nonce.length > own.length && nonce.startsWith(own) && iterations > 0 && iterations <= mostIterations;
  return isSound ? { nonce, salt: Buffer.from(salt, 'base64'), iterations } : undefined;
}
