/** The way of an accepted recipient as a report shows it. */
import type { Delivery, Way } from '#roles';
import type { DeliveryReport, Lookup, WayReport } from './report.ts';

interface Heard {
  readonly lookups: readonly Lookup[];
  readonly warnings: readonly string[];
}

export function wayReport(way: Way, heard: Heard): WayReport {
  switch (way.kind) {
    case 'discarded':
      return { ...heard, queue: 'discarded', deliveries: [] };
    case 'refused':
      return { ...heard, queue: 'refused', refusal: way.reply, deliveries: [] };
    case 'queued':
      return { ...heard, queue: way.queue, sender: way.sender, deliveries: way.deliveries.map(deliveryReport) };
  }
}

function deliveryReport({ recipient, kind, addressClass, next }: Delivery): DeliveryReport {
  const known = { recipient, isCopy: kind === 'copy', ...(addressClass === undefined ? {} : { addressClass }) };
  if (next.kind === 'decided') return { ...known, outcome: next.outcome, reason: next.reason };
  const { transport, nexthop, isFilter, entry } = next;
  return { ...known, transport, nexthop, isFilter, entry: entry?.origin ?? null };
}
