/** smtpd_dns_reply_filter: what the SMTP server's restrictions hear of DNS. */
import type { Settings } from '#config';
import { filterReplies, type Resolver } from '#dns';
import type { EventChannel } from '#events';
import type { TableOpener } from '#tables';

export function filteredResolver(
  resolver: Resolver,
  view: Settings,
  { tables, events }: { readonly tables: TableOpener; readonly events: EventChannel },
): Resolver {
  const parameter = 'smtpd_dns_reply_filter';
  const list = tables.listOf(parameter);
  if (list.isEmpty) return resolver;
  const notes = {
    note: (text: string): void => events.emit({ kind: 'note', text }),
    warn: (text: string): void => events.emit({ kind: 'warning', text }),
  };
  return filterReplies(resolver, { parameter, tables: list }, notes);
}
