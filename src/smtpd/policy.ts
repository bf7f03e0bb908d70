/** What the session asks of the restrictions. SMTPD_ACCESS_README */
import type { MaybePromise, SubmissionAction } from '#message';
import type { ClientFacts } from './session-state.ts';

/** A session as the rules see it. Undefined: not given yet. */
export interface SessionFacts {
  readonly client: ClientFacts;
  readonly helo: string | undefined;
  readonly protocol: string;
  readonly sender: string | undefined;
  /** At RCPT and VRFY the one asked about, at ETRN the domain, from DATA on the first that was accepted. */
  readonly recipient: string | undefined;
  readonly recipientCount: number;
  readonly queueId: string;
  readonly sizeBytes: number;
  readonly saslUsername: string;
  /** Input waits that the client should not have sent yet. */
  readonly hasPipelinedInput: boolean;
  /** Unique for each mail transaction: `instance=` of policy requests. */
  readonly instance: string;
}

export type Verdict =
  | { readonly kind: 'accept'; readonly actions: readonly SubmissionAction[] }
  /** The whole reply: `554 5.7.1 <x@y>: Relay access denied`. */
  | { readonly kind: 'reject'; readonly reply: string; readonly hangsUp: boolean };

export type Stage = 'connect' | 'helo' | 'mail' | 'rcpt' | 'data' | 'endOfData' | 'vrfy' | 'etrn';

/** Evaluates the restriction lists that belong to a stage, and logs what they decide. */
export interface PolicyChecks {
  check(stage: Stage, facts: SessionFacts): MaybePromise<Verdict>;
}
