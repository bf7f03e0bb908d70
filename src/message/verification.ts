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

/** How often the cache is looked at for a first answer, and the pause before each look but the first. */
export interface Looks {
  readonly count: number;
  readonly delayMs: number;
}

export interface AddressVerification {
  /**
   * What is known about an address (internal form); sends a probe when that is nothing, or old, and waits for the first
   * answer between the looks. Undefined: the service is out of order.
   */
  query(address: string, looks: Looks): MaybePromise<VerifiedAddress | undefined>;
  /** A probe's outcome for an address. */
  update(address: string, result: ProbeResult): void;
}
