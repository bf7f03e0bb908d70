/**
 * Address verification as smtpd asks it and the queue manager feeds it; neither knows who answers. verify(8),
 * ADDRESS_VERIFICATION_README
 */
import type { MaybePromise } from './result.ts';

/** What is known about an address. `pending`: a probe is under way. */
export interface VerifiedAddress {
  readonly state: 'deliverable' | 'deferred' | 'bounced' | 'pending';
  /** The words of the server or agent that was asked. */
  readonly reason: string;
}

/** What a probe found. */
export type ProbeResult = VerifiedAddress & { readonly state: 'deliverable' | 'deferred' | 'bounced' };

export interface AddressVerification {
  /**
   * What is known about an address (internal form); sends a probe when that is nothing, or old. Waits up to `waitMs`
   * for the first answer. Undefined: the service is out of order.
   */
  query(address: string, waitMs: number): MaybePromise<VerifiedAddress | undefined>;
  /** A probe's outcome for an address. */
  update(address: string, result: ProbeResult): void;
}
