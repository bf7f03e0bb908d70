/** What the queue manager is made of. */
import type { Settings } from '#config';
import type { EventChannel } from '#events';
import type { AddressVerification, DeliveryAgent, MaybePromise } from '#message';
import type { Resolution } from '#rewrite';
import type { QueueStore } from '#store';
import type { InFlow } from './in-flow.ts';
import type { Bouncer } from './reports.ts';

export interface QueueManagerOptions {
  readonly store: QueueStore;
  readonly agents: ReadonlyMap<string, DeliveryAgent>;
  /** Deliveries at once for a transport, from master.cf; 0: unlimited. */
  readonly processLimit: (transport: string) => number;
  readonly resolve: (sender: string, recipient: string, use: 'mail' | 'verify') => MaybePromise<Resolution>;
  /** Who hears what probes find. */
  readonly probes?: Pick<AddressVerification, 'update'> | undefined;
  readonly bouncer: Bouncer;
  /** Whether somebody may ask for the mail of a site: ETRN, postqueue -s. Undefined: for none. fast_flush_domains */
  readonly isFlushedSite?: ((site: string) => MaybePromise<boolean>) | undefined;
  /** Slows down mail that arrives faster than it is taken up. */
  readonly inFlow: InFlow;
  readonly settings: Settings;
  readonly events: EventChannel;
  /** Where deferrals by the queue manager itself are logged (error(8) in Postfix). */
  readonly errorEvents: EventChannel;
  readonly now: () => number;
}
