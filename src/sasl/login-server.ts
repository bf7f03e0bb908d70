/** What a login server is to its users. RFC 4422 */

/** What a mechanism gives away or lacks. postconf(5) smtpd_sasl_security_options */
export type MechanismTrait =
  | 'noanonymous'
  | 'noplaintext'
  | 'noactive'
  | 'nodictionary'
  | 'forward_secrecy'
  | 'mutual_auth';

export interface Mechanism {
  /** Upper case. */
  readonly name: string;
  /** Traits that it has: `noplaintext` for one that sends no plain text. */
  readonly traits: ReadonlySet<MechanismTrait>;
}

export interface SaslRequest {
  readonly mechanism: string;
  readonly service: string;
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly isSecured: boolean;
  /** Base64, as the client sent it with AUTH. */
  readonly initialResponse: string | undefined;
}

export type SaslOutcome =
  | { readonly kind: 'authenticated'; readonly user: string }
  | { readonly kind: 'refused'; readonly reason: string; readonly user: string; readonly isTemporary: boolean };

/** A step of an exchange: a challenge in Base64, or the end. */
export type SaslStep = { readonly kind: 'challenge'; readonly text: string } | SaslOutcome;

export interface Exchange {
  start(): Promise<SaslStep>;
  /** `response`: Base64. */
  answer(response: string): Promise<SaslStep>;
  /** The client gave up. */
  abandon(): void;
}

export interface LoginServer {
  /** undefined: the server can't be reached. */
  mechanisms(): Promise<readonly Mechanism[] | undefined>;
  open(request: SaslRequest): Exchange;
}
