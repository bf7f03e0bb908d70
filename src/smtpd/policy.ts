/** What the session asks of the restrictions. SMTPD_ACCESS_README */
import type { DnsAnswer } from '#dns';
import type { MaybePromise, SubmissionAction, TlsFacts } from '#message';
import type { ClientFacts } from './session-state.ts';

/** A session as the rules see it. Undefined: not given yet. */
export interface SessionFacts {
  /** The command that is being answered, as logged: CONNECT, XCLIENT, EHLO, MAIL … END-OF-MESSAGE. */
  readonly command: string;
  /** The client as logged. */
  readonly clientText: string;
  readonly memory: PolicyMemory;
  /** An earlier decision throws the message away. */
  readonly isDiscarded: boolean;
  /** An earlier decision holds it. */
  readonly isHeld: boolean;
  readonly client: ClientFacts;
  readonly helo: string | undefined;
  readonly protocol: string;
  readonly sender: string | undefined;
  /** At RCPT and VRFY the one asked about, from DATA on the only one. */
  readonly recipient: string | undefined;
  readonly etrnDomain?: string;
  readonly recipientCount: number;
  readonly queueId: string;
  readonly sizeBytes: number;
  readonly saslUsername: string;
  readonly saslMethod?: string;
  /** Clients may log in here, be it after STARTTLS only. smtpd_sasl_auth_enable */
  readonly canLogIn?: boolean;
  /** AUTH= of MAIL; undefined when there is none. */
  readonly saslSender: string | undefined;
  /** Input waits that the client should not have sent yet. */
  readonly hasPipelinedInput: boolean;
  /** undefined: the session is not encrypted. */
  readonly tls?: TlsFacts | undefined;
  /** Unique for each mail transaction: `instance=` of policy requests. */
  readonly instance: string;
}

/** What the restrictions of a session remember from one stage to the next. */
export interface PolicyMemory {
  /**
   * Put off at that stage for a later one to say: the temporary refusal that was asked for in case the recipient is
   * accepted. smtpd_delay_reject = no
   */
  connect?: Deferral | undefined;
  helo?: Deferral | undefined;
  mail?: Deferral | undefined;
  /** Answers of DNS lists in this session. */
  lookups?: Map<string, Promise<DnsAnswer>>;
  /** Names of DNS lists whose trouble the log has. */
  troubled?: Set<string>;
  /** Whether the sender exists was asked since MAIL, or since its restrictions were run for a recipient. */
  hasCheckedSender?: boolean;
}

export interface Deferral {
  readonly code: number;
  readonly dsn: string;
  readonly text: string;
}

export type Verdict =
  | { readonly kind: 'accept'; readonly actions: readonly SubmissionAction[] }
  /** The whole reply: `554 5.7.1 <x@y>: Relay access denied`. */
  | {
      readonly kind: 'reject';
      readonly reply: string;
      readonly hangsUp: boolean;
      /** What tables asked for before: it is done to the message though this recipient is refused. */
      readonly actions: readonly SubmissionAction[];
    };

/** As a verdict, or: the session ends without another word, because the settings make no sense. */
export type PolicyResult = Verdict | { readonly kind: 'abandon'; readonly fatal?: string };

export type Stage = 'connect' | 'helo' | 'mail' | 'rcpt' | 'data' | 'endOfData' | 'vrfy' | 'etrn';

/** Evaluates the restriction lists that belong to a stage, and logs what they decide. */
export interface PolicyChecks {
  check(stage: Stage, facts: SessionFacts): MaybePromise<PolicyResult>;
  /** There is nothing to ask at this stage, whoever comes: each accepted message would be asked about for nothing. */
  asksNothing?(stage: Stage): boolean;
}
