/** How restrictions look mail addresses up in tables that are no access tables. postconf(5) recipient_delimiter */
import type { AddressLookupOptions } from '#tables';
import type { Toolbox } from './restriction.ts';

export function addressLookup({ settings, rewriter }: Pick<Toolbox, 'settings' | 'rewriter'>): AddressLookupOptions {
  const origin = settings.string('myorigin').toLowerCase();
  return {
    recipientDelimiter: settings.string('recipient_delimiter'),
    ownerRequestSpecial: settings.bool('owner_request_special'),
    doubleBounceName: settings.string('double_bounce_sender'),
    isLocalDomain: (domain) => (domain.toLowerCase() === origin ? 'yes' : rewriter.isLocalDomain(domain)),
  };
}
