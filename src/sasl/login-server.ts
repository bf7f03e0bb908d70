/** What a login server is to its users. RFC 4422 */

/** What a mechanism gives away or lacks. postconf(5) smtpd_sasl_security_options */
export const mechanismTraits = [
  'noanonymous',
  'noplaintext',
  'noactive',
  'nodictionary',
  'forward_secrecy',
  'mutual_auth',
] as const;
export type MechanismTrait = (typeof mechanismTraits)[number];

export interface Mechanism {
  /** As the server writes it. */
  readonly name: string;
  /** Traits that it has: `noplaintext` for one that sends no plain text. */
  readonly traits: ReadonlySet<MechanismTrait>;
}

/** What the log says where nobody can be served: warnings, and the last words. */
export interface Obituary {
  readonly warnings: readonly string[];
  readonly fatal: string;
}

/** What a server offers; or that it can't be asked. */
export type Offer =
  | { readonly kind: 'mechanisms'; readonly mechanisms: readonly Mechanism[] }
  | ({ readonly kind: 'unreachable' } & Obituary);

export interface SaslRequest {
  /** As the client wrote it. */
  readonly mechanism: string;
  readonly service: string;
  readonly localAddress: string;
  /** '': not known. */
  readonly remoteAddress: string;
  readonly isSecured: boolean;
  /** Base64, as the client sent it with AUTH. */
  readonly initialResponse: string | undefined;
}

export type SaslOutcome =
  | {
      readonly kind: 'authenticated';
      readonly user: string;
      /** What the log says of servers that could not decide. */
      readonly warnings?: readonly string[];
    }
  | {
      readonly kind: 'refused';
      /** '' when the server gives none. */
      readonly reason: string;
      readonly isTemporary: boolean;
      /** What the server called the client; absent when it did not say anything about who it is. */
      readonly verdict?: { readonly user: string | undefined };
      /** What the log says of the server. */
      readonly warnings?: readonly string[];
    };

/** A step of an exchange: a challenge in Base64, or the end. */
export type SaslStep = { readonly kind: 'challenge'; readonly text: string } | SaslOutcome;

export interface Exchange {
  start(): Promise<SaslStep>;
  /** `response`: Base64. */
  answer(response: string): Promise<SaslStep>;
  /** The client gave up. */
  abandon(): void;
}

/** What is said of requests that never get to a server. */
export interface SaslWords {
  /** The client asks for a mechanism that it may not use. */
  readonly badMechanism: (name: string, initialResponse: string | undefined) => SaslOutcome;
  /** No mechanism is as strong as the options want it. */
  readonly noneLeft: Obituary;
  readonly badOption: (option: string, all: readonly string[]) => Obituary;
}

export interface LoginServer {
  readonly words: SaslWords;
  offer(): Promise<Offer>;
  open(request: SaslRequest): Exchange;
}
