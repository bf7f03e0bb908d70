/** SCRAM as Cyrus SASL holds it, by a password that can be read. RFC 5802, 3 */
import { randomBytes } from 'node:crypto';
import { type Challenger, challenge } from './challenge-exchanges.ts';
import { badProtocol, refused, wrong } from './cyrus-words.ts';
import type { SaslStep } from './login-server.ts';
import { checkProof, type ClientFirst, keysOf, readClientFinal, readClientFirst } from './scram.ts';

const iterations = 4096;
const nonceBytes = 24;
const saltBytes = 16;

interface Begun {
  readonly first: ClientFirst;
  readonly user: string;
  readonly password: Buffer;
  readonly nonce: string;
  readonly salt: Buffer;
  /** The server's first message. */
  readonly said: string;
}

export function scramConversation(
  mechanism: string,
  challenger: Challenger,
): (response: Buffer | undefined) => Promise<SaslStep> {
  let begun: Begun | undefined;
  let user: string | undefined;
  return async (response) => {
    // the client has the server's signature, and has said that it saw it
    if (user !== undefined) return { kind: 'authenticated', user };
    if (begun !== undefined) {
      const step = await finish(mechanism, begun, response?.toString('utf8') ?? '', challenger);
      if (step.kind === 'challenge') ({ user } = begun);
      return step;
    }
    if (response === undefined) return challenge('');
    const started = begin(mechanism, response.toString('utf8'), challenger);
    if ('kind' in started) return started;
    begun = started;
    return challenge(begun.said);
  };
}

function begin(mechanism: string, text: string, { canonical, passwordOf }: Challenger): Begun | SaslStep {
  const first = readClientFirst(text, mechanism);
  if (typeof first === 'string') return refused({ reason: badProtocol, warnings: [first] });
  const user = canonical(first.username);
  const unknown = 'unable to canonify user and get auxprops';
  if (user === '') {
    const warnings = ['All-whitespace username.', unknown];
    return refused({ reason: 'generic failure', isTemporary: true, warnings });
  }
  const password = passwordOf(user);
  if (password === undefined) return refused({ reason: wrong, user, warnings: [unknown] });
  const nonce = first.nonce + randomBytes(nonceBytes).toString('base64');
  const salt = randomBytes(saltBytes);
  const said = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`;
  return { first, user, password, nonce, salt, said };
}

async function finish(
  mechanism: string,
  { first, user, password, nonce, salt, said }: Begun,
  text: string,
  { canonical }: Challenger,
): Promise<SaslStep> {
  const final = readClientFinal(text, { mechanism, first, nonce });
  if (typeof final === 'string') return refused({ reason: badProtocol, user, warnings: [final] });
  const keys = await keysOf(mechanism, password, { salt, iterations });
  const signed = `${first.bare},${said},${final.withoutProof}`;
  const { isRight, signature } = checkProof(mechanism, keys, final.proof, signed);
  if (!isRight) return refused({ reason: wrong, user, warnings: ['StoredKey mismatch'] });
  const asked = first.authzid === '' ? user : canonical(first.authzid);
  return asked === user
    ? challenge(`v=${signature}`)
    : refused({ reason: wrong, user: asked, warnings: ['Requested identity not authenticated identity'] });
}
