/** CRAM-MD5 and DIGEST-MD5 as Cyrus SASL holds them, by a password that can be read. */
import { randomBytes } from 'node:crypto';
import { cramChallenge, isCramDigest, readCramResponse } from './cram-md5.ts';
import { badProtocol, refused, wrong } from './cyrus-words.ts';
import { challengeText, type DigestResponse, digestsOf, isSameDigest, readDigestResponse } from './digest-md5.ts';
import type { SaslStep } from './login-server.ts';

export interface Challenger {
  readonly hostName: string;
  /** The realm of users that name none. */
  readonly realm: string;
  readonly service: string;
  readonly now: () => number;
  /** As the user is called everywhere else. */
  readonly canonical: (user: string) => string;
  /** undefined: there is no such user. */
  readonly passwordOf: (canonicalUser: string) => Buffer | undefined;
}

/** Takes a response; undefined: none was sent with the request. */
export type Conversation = (response: Buffer | undefined) => SaslStep;

export const challenge = (text: string): SaslStep => ({
  kind: 'challenge',
  text: Buffer.from(text).toString('base64'),
});

export function cramConversation({ hostName, now, canonical, passwordOf }: Challenger): Conversation {
  let given: string | undefined;
  return (response) => {
    if (given === undefined) {
      const early = 'Remote sent first but mech does not allow it.';
      if (response !== undefined) return refused({ reason: badProtocol, warnings: [early] });
      given = cramChallenge(hostName, now());
      return challenge(given);
    }
    const said = readCramResponse(response?.toString('utf8') ?? '');
    if (said === undefined) return refused({ reason: badProtocol, warnings: ['need authentication name'] });
    const user = canonical(said.user);
    const password = passwordOf(user);
    if (password === undefined) return refused({ reason: wrong, user });
    if (isCramDigest(said.digest, password, given)) return { kind: 'authenticated', user };
    return refused({ reason: wrong, user, warnings: ['incorrect digest response'] });
  };
}

const nonceBytes = 32;

export function digestConversation(challenger: Challenger): Conversation {
  const { realm, service } = challenger;
  let nonce: string | undefined;
  let user: string | undefined;
  return (response = Buffer.alloc(0)) => {
    // the client has the server's proof, and has said that it saw it
    if (user !== undefined) return { kind: 'authenticated', user };
    if (nonce === undefined) {
      nonce = randomBytes(nonceBytes).toString('base64');
      return challenge(challengeText({ nonce, realm }));
    }
    const said = readDigestResponse(response, nonce, service);
    if (typeof said === 'string') return refused({ reason: wrong, warnings: [said] });
    const verdict = judge(said, nonce, challenger);
    if (!('proof' in verdict)) return verdict;
    ({ user } = verdict);
    return challenge(verdict.proof);
  };
}

interface Proven {
  readonly user: string;
  readonly proof: string;
}

function judge(said: DigestResponse, nonce: string, { realm, canonical, passwordOf }: Challenger): Proven | SaslStep {
  const isHome = said.realm === '' || said.realm === realm;
  const user = canonical(isHome ? said.username : `${said.username}@${said.realm}`);
  const failed = (warning: string, name = user): SaslStep =>
    refused({ reason: wrong, user: name, warnings: [warning] });
  const password = passwordOf(user);
  if (password === undefined) return failed('unable to canonify user and get auxprops');
  if (said.qop !== 'auth') {
    const warnings = ['protocol violation: client requested invalid qop'];
    return refused({ reason: 'generic failure', isTemporary: true, user, warnings });
  }
  const { expected, proof } = digestsOf(said, nonce, password);
  if (!isSameDigest(said.response, expected)) {
    return failed("client response doesn't match what we generated (tried bogus)");
  }
  if (Number.parseInt(said.nonceCount, 16) !== 1) return failed('incorrect nonce-count');
  const asked = said.authzid === '' ? user : canonical(said.authzid);
  return asked === user ? { user, proof } : failed('Requested identity not authenticated identity', asked);
}
