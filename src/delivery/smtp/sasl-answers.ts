/** What a client says to log in, mechanism by mechanism. */
import { createHmac } from 'node:crypto';
import type { MaybePromise } from '#message';
import { scramClient, scramMechanisms } from '#sasl';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

const plaintextMechanisms: readonly string[] = ['PLAIN', 'LOGIN'];
const challengedOnes: readonly string[] = [...scramMechanisms, 'CRAM-MD5'];

/** From the strongest. `noplaintext`: only those that don't show the password. */
export function knownMechanisms(noplaintext: boolean): readonly string[] {
  return noplaintext ? challengedOnes : [...challengedOnes, ...plaintextMechanisms];
}

/** Whether the first message goes with AUTH. */
export function speaksFirst(mechanism: string): boolean {
  return mechanism === 'PLAIN' || scramMechanisms.includes(mechanism);
}

export interface Answers {
  /** The answer to a challenge, base64 on both sides; undefined when there is none. */
  next(challenge: string): Promise<string | undefined>;
}

/** RFC 4616 (PLAIN), RFC 2195 (CRAM-MD5), RFC 5802 (SCRAM), and LOGIN as everybody does it. */
export function answersOf(mechanism: string, credentials: Credentials): Answers {
  const respond = scramMechanisms.includes(mechanism)
    ? scramClient({ mechanism, ...credentials })
    : inTurn(simpleSteps(mechanism, credentials));
  return {
    async next(challenge) {
      const answer = await respond(Buffer.from(challenge, 'base64'));
      return answer === undefined ? undefined : Buffer.from(answer, 'utf8').toString('base64');
    },
  };
}

type Step = (challenge: Buffer) => string;

function simpleSteps(mechanism: string, { username, password }: Credentials): readonly Step[] {
  switch (mechanism) {
    case 'PLAIN':
      return [() => `\0${username}\0${password}`];
    case 'LOGIN':
      return [() => username, () => password];
    default:
      return [(challenge) => `${username} ${createHmac('md5', password).update(challenge).digest('hex')}`];
  }
}

function inTurn(steps: readonly Step[]): (challenge: Buffer) => MaybePromise<string | undefined> {
  const left = [...steps];
  return (challenge) => left.shift()?.(challenge);
}
