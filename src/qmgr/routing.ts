/** Where each recipient of an active message goes: transport, destination, or an outcome at once. qmgr(8) */
import { splitAddress, splitExtension } from '#address';
import {
  type Envelope,
  type MaybePromise,
  type Outcome,
  type RequestRecipient,
  type Status,
  whenReady,
} from '#message';
import type { StoredRecipient } from '#store';
import type { Resolution } from '#rewrite';
import type { QmgrSettings } from './settings.ts';

export interface DeliverRoute {
  readonly kind: 'deliver';
  readonly transport: string;
  readonly nexthop: string;
  readonly recipient: RequestRecipient;
}

export type Route =
  | DeliverRoute
  | {
      readonly kind: 'decided';
      readonly outcome: 'deferred' | 'bounced' | 'sent';
      readonly status: Status;
      readonly recipient: RequestRecipient;
    };

/** What an earlier attempt found stays so, and was told of then. */
export interface KnownRoute {
  readonly kind: 'known';
  readonly outcome: Outcome;
  readonly recipient: RequestRecipient;
}

type RoutingSettings = Pick<QmgrSettings, 'deferTransports' | 'defaultFilterNexthop' | 'doubleBounceSender'>;

/** What routing has to know of a message. */
interface RoutedMessage {
  readonly envelope: Pick<Envelope, 'sender' | 'contentFilter' | 'origin' | 'trace'>;
}

export interface RoutingOptions {
  readonly settings: RoutingSettings;
  /** `verify`: by the address_verify_* parameters. */
  readonly resolve: (sender: string, recipient: string, use: 'mail' | 'verify') => MaybePromise<Resolution>;
  /** More address probes are active than may be. */
  readonly isFullOfProbes: boolean;
}

/** content_filter and FILTER: `transport:nexthop` for the whole message. FILTER_README */
function filterRoute(
  message: RoutedMessage,
  recipient: RequestRecipient,
  settings: RoutingSettings,
): DeliverRoute | undefined {
  const filter = message.envelope.contentFilter;
  if (filter === '' || message.envelope.origin === 'verify' || message.envelope.trace === 'verify') return undefined;
  const colon = filter.indexOf(':');
  const transport = colon < 0 ? filter : filter.slice(0, colon);
  const given = colon < 0 ? '' : filter.slice(colon + 1);
  const nexthop = given !== '' ? given : settings.defaultFilterNexthop || splitAddress(recipient.address).domain;
  return { kind: 'deliver', transport, nexthop, recipient };
}

function isDoubleBounce(address: string, settings: RoutingSettings): boolean {
  return splitAddress(address).localPart.toLowerCase() === settings.doubleBounceSender.toLowerCase();
}

/** A message that is to expire is never delivered: what made it wait is what its sender hears. postsuper(1) -e, -f */
export function expiredRoute(recipient: StoredRecipient): Route | KnownRoute {
  const { lastOutcome } = recipient;
  if (lastOutcome !== undefined) return { kind: 'known', outcome: lastOutcome, recipient };
  const status = { code: '4.7.0', reason: 'message is administratively expired' };
  return { kind: 'decided', outcome: 'deferred', status, recipient };
}

/** Decides about one recipient. */
export function routeRecipient(
  message: RoutedMessage,
  recipient: RequestRecipient,
  { settings, resolve, isFullOfProbes }: RoutingOptions,
): MaybePromise<Route> {
  const decided = (
    outcome: 'deferred' | 'bounced' | 'sent',
    code: string,
    reason: string,
    address = recipient.address,
  ): Route => ({ kind: 'decided', outcome, status: { code, reason }, recipient: { ...recipient, address } });
  if (recipient.address === '') return decided('bounced', '5.1.3', 'null recipient address');
  const filtered = filterRoute(message, recipient, settings);
  if (filtered !== undefined) {
    const isDeferred = settings.deferTransports.includes(filtered.transport);
    return isDeferred ? decided('deferred', '4.3.2', 'deferred transport') : filtered;
  }
  const use = message.envelope.origin === 'verify' ? 'verify' : 'mail';
  if (use === 'verify' && isFullOfProbes) return decided('deferred', '4.3.2', 'Too many address verification requests');
  return whenReady(resolve(message.envelope.sender, recipient.address, use), (resolution): Route => {
    switch (resolution.kind) {
      case 'failed':
        return decided('deferred', '4.3.0', 'address resolver failure');
      case 'invalid':
        return decided('bounced', '5.1.3', resolution.reason, resolution.recipient);
      case 'resolved': {
        const { transport, nexthop, addressClass } = resolution;
        if (addressClass === 'local' && isDoubleBounce(resolution.recipient, settings)) {
          return decided('sent', '2.0.0', 'undeliverable postmaster notification discarded');
        }
        if (settings.deferTransports.includes(transport)) return decided('deferred', '4.3.2', 'deferred transport');
        return { kind: 'deliver', transport, nexthop, recipient: { ...recipient, address: resolution.recipient } };
      }
    }
  });
}

/** The concurrency bucket of a recipient: its nexthop, or with a recipient limit of 1 its address without extension. */
export function bucketKey(
  nexthop: string,
  address: string,
  recipientLimit: number,
  recipientDelimiter: string,
  doubleBounceName: string,
): string {
  if (recipientLimit !== 1) return nexthop.toLowerCase();
  const { localPart } = splitAddress(address);
  const { user } = splitExtension(localPart, recipientDelimiter, { ownerRequestSpecial: true, doubleBounceName });
  return `${user}@${nexthop}`.toLowerCase();
}
