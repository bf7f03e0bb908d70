/** PLAIN (RFC 4616) and LOGIN, of which nothing but drafts was ever written: what a client says, up to its password. */

/** What a client claims: who it is, by which password, and for whom it wants to act, if that is another. */
export interface Claim {
  readonly user: string;
  readonly password: string;
  readonly onBehalfOf: string;
}

/** Another challenge, a claim, or what the log says of a response that makes no sense. */
export type Heard =
  | { readonly kind: 'challenge'; readonly text: string }
  | { readonly kind: 'claim'; readonly claim: Claim }
  | { readonly kind: 'nonsense'; readonly warning: string };

/** Takes a response; undefined: none was sent with the request. */
export type Listener = (response: Buffer | undefined) => Heard;

export function plainListener(): Listener {
  return (response) => {
    if (response === undefined) return { kind: 'challenge', text: '' };
    const [onBehalfOf = '', user, password, ...more] = response.toString('utf8').split('\0');
    if (user === undefined) return { kind: 'nonsense', warning: 'Can only find author (no password)' };
    if (password === undefined) return { kind: 'nonsense', warning: 'Can only find author/en (no password)' };
    return more.length > 0
      ? { kind: 'nonsense', warning: 'Got more data than we were expecting in the PLAIN plugin?' }
      : { kind: 'claim', claim: { user, password, onBehalfOf } };
  };
}

export function loginListener(): Listener {
  let user: string | undefined;
  return (response) => {
    if (response === undefined) return { kind: 'challenge', text: 'Username:' };
    const text = response.toString('utf8');
    if (user !== undefined) return { kind: 'claim', claim: { user, password: text, onBehalfOf: '' } };
    user = text;
    return { kind: 'challenge', text: 'Password:' };
  };
}
