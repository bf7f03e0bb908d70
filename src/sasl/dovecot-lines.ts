/** Lines of Dovecot's "authentication protocol", version 1: what a server says of itself, and what it answers. */
import type { Mechanism, MechanismTrait, SaslStep } from './login-server.ts';

/** Names of the protocol → our traits. A mechanism has `noX` unless the server says `X`. */
const weaknesses: Readonly<Record<string, MechanismTrait>> = {
  anonymous: 'noanonymous',
  plaintext: 'noplaintext',
  dictionary: 'nodictionary',
  active: 'noactive',
};
const strengths: Readonly<Record<string, MechanismTrait>> = {
  'forward-secrecy': 'forward_secrecy',
  'mutual-auth': 'mutual_auth',
};

const majorVersion = '1';

/** What a greeting has come to so far. */
export interface Greeting {
  readonly mechanisms: Mechanism[];
  isDone: boolean;
}

/** Reads a line of the greeting; a text says why the server can't be used. */
export function readGreeting(greeting: Greeting, [verb = '', first, ...words]: readonly string[]): string | undefined {
  switch (verb) {
    case 'VERSION': {
      const [minor = ''] = words;
      if (!/^\d+$/.test(first ?? '') || !/^\d+$/.test(minor)) return 'SASL: Protocol version error';
      if (first !== majorVersion) return `SASL: Protocol version mismatch (${first} vs. ${majorVersion})`;
      return undefined;
    }
    case 'MECH':
      if (first !== undefined && !words.includes('private')) greeting.mechanisms.push(mechanismOf(first, words));
      return undefined;
    case 'SPID':
      // another socket of the same program begins like this
      return greeting.mechanisms.length === 0
        ? 'SASL: Connected to wrong auth socket (auth-master instead of auth-client)'
        : undefined;
    case 'DONE':
      greeting.isDone = true;
      return undefined;
    default:
      return undefined;
  }
}

function mechanismOf(name: string, words: readonly string[]): Mechanism {
  const traits = new Set<MechanismTrait>(Object.values(weaknesses));
  for (const word of words) {
    const weakness = weaknesses[word];
    const strength = strengths[word];
    if (weakness !== undefined) traits.delete(weakness);
    if (strength !== undefined) traits.add(strength);
  }
  return { name, traits };
}

/** What an answer says: `OK`, `FAIL` or `CONT`, and its fields behind the ID; undefined for any other word. */
export function readAnswer(verb: string, fields: readonly string[]): SaslStep | undefined {
  const value = (name: string): string | undefined =>
    fields.findLast((field) => field.startsWith(`${name}=`))?.slice(name.length + 1);
  switch (verb) {
    case 'CONT':
      return fields[0] === undefined
        ? backendError('missing Dovecot server CONT reply field')
        : { kind: 'challenge', text: fields[0] };
    case 'OK': {
      const user = value('user') ?? '';
      return user === ''
        ? { ...backendError('missing Dovecot server OK username field'), verdict: { user: undefined } }
        : { kind: 'authenticated', user };
    }
    case 'FAIL':
      return {
        kind: 'refused',
        reason: value('reason') ?? '',
        isTemporary: false,
        verdict: { user: value('user') },
      };
    default:
      return undefined;
  }
}

function backendError(warning: string): SaslStep & { readonly kind: 'refused' } {
  return { kind: 'refused', reason: 'Authentication backend error', isTemporary: false, warnings: [warning] };
}
