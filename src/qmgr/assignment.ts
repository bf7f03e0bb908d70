/** Routed recipients become entries of the schedule: one for each delivery that a destination gets. qmgr(8) */
import { compareByDomain } from '#address';
import type { RequestRecipient, Status } from '#message';
import type { ActiveMessage, Entry } from './active.ts';
import type { ClogWarning } from './clog-warning.ts';
import type { Decisions } from './decisions.ts';
import type { Destination } from './destination.ts';
import type { QueueManagerOptions } from './options.ts';
import { bucketKey, type DeliverRoute, type KnownRoute, type Route } from './routing.ts';
import type { Scheduler } from './scheduler.ts';
import type { RecipientSpace } from './recipient-space.ts';
import type { QmgrSettings } from './settings.ts';
import { hasSenderPerRecipient } from './verp.ts';

export interface AssignmentParts {
  readonly options: QueueManagerOptions;
  readonly settings: QmgrSettings;
  readonly scheduler: Scheduler;
  readonly space: RecipientSpace;
  readonly decisions: Decisions;
  readonly clogWarning: ClogWarning;
  readonly activeCount: () => number;
}

/** Transports and destinations are worked on in the order of their names. */
function byName<T>(groups: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  const entries = [...groups];
  return entries.length < 2 ? entries : entries.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** For sort: mail of one domain goes together. */
function byDomain({ recipient: one }: Route, { recipient: other }: Route): number {
  return compareByDomain(one.address, other.address);
}

/** Recipients of one delivery at most; Infinity where there is no limit. */
function deliverySize({ queued }: ActiveMessage, recipientLimit: number): number {
  if (hasSenderPerRecipient(queued.envelope)) return 1;
  return recipientLimit === 0 ? Infinity : recipientLimit;
}

export class Assignment {
  readonly #parts: AssignmentParts;
  readonly #recipientDelimiter: string;
  /** Transports that nobody serves, and until when that is not said again. */
  readonly #absentUntil = new Map<string, number>();

  constructor(parts: AssignmentParts) {
    this.#parts = parts;
    this.#recipientDelimiter = parts.options.settings.string('recipient_delimiter');
  }

  /** Recipients that routing has decided about are done; the others wait in the schedule from now on. */
  assign(message: ActiveMessage, routes: readonly (Route | KnownRoute)[]): void {
    for (const route of routes) if (route.kind === 'known') message.attempt.record(route.outcome, [route.recipient]);
    const decided = routes.filter((route) => route.kind === 'decided');
    for (const { recipient, outcome, status } of decided.toSorted(byDomain))
      this.#parts.decisions.decide(message, recipient, outcome, status);
    let placed = 0;
    const toDeliver = routes.filter((route) => route.kind === 'deliver');
    for (const [transport, group] of byName(Map.groupBy(toDeliver, (route) => route.transport)))
      placed += this.#assignTransport(message, transport, group);
    if (placed < routes.length) this.#parts.space.released(message, undefined, routes.length - placed);
  }

  /** Gives how many recipients are in the schedule. */
  #assignTransport(message: ActiveMessage, transport: string, routes: readonly DeliverRoute[]): number {
    const { options, scheduler } = this.#parts;
    if (!options.agents.has(transport)) {
      this.#warnOfAbsent(transport);
      this.#deferAll(message, routes, { code: '4.3.0', reason: 'mail transport unavailable' });
      return 0;
    }
    const { recipientLimit } = scheduler.settingsOf(transport);
    const size = deliverySize(message, recipientLimit);
    const entries: Entry[] = [];
    let placed = 0;
    for (const [key, bucket] of byName(this.#buckets(routes, recipientLimit))) {
      const [first] = bucket;
      if (first === undefined) continue;
      const destination = scheduler.destination(transport, key, first.nexthop);
      const dead = destination.deadFor(options.now());
      if (dead !== undefined) {
        this.#deferAll(message, bucket, dead);
        continue;
      }
      const recipients = bucket.toSorted(byDomain).map((route) => route.recipient);
      placed += recipients.length;
      const taken = message.placedCount > 0 ? this.#fillUp(message, transport, destination, recipients, size) : 0;
      for (let at = taken; at < recipients.length; at += size)
        entries.push({ message, destination, recipients: recipients.slice(at, at + size) });
    }
    this.#schedule(message, transport, entries, placed);
    return placed;
  }

  /** Says so once in a while. transport_retry_time */
  #warnOfAbsent(transport: string): void {
    const { options, settings } = this.#parts;
    const now = options.now();
    if ((this.#absentUntil.get(transport) ?? 0) > now) return;
    this.#absentUntil.set(transport, now + settings.transportRetryMs);
    options.events.emit({
      kind: 'warning',
      text: `connect to transport private/${transport}: No such file or directory`,
    });
  }

  #deferAll(message: ActiveMessage, routes: readonly DeliverRoute[], status: Status): void {
    for (const { recipient } of routes.toSorted(byDomain))
      this.#parts.decisions.decide(message, recipient, 'deferred', status);
  }

  #buckets(routes: readonly DeliverRoute[], recipientLimit: number): ReadonlyMap<string, readonly DeliverRoute[]> {
    const { doubleBounceSender } = this.#parts.settings;
    return Map.groupBy(routes, ({ nexthop, recipient }) =>
      bucketKey(nexthop, recipient.address, recipientLimit, this.#recipientDelimiter, doubleBounceSender),
    );
  }

  #schedule(message: ActiveMessage, transport: string, entries: readonly Entry[], recipientCount: number): void {
    const { options, scheduler, space, clogWarning, activeCount } = this.#parts;
    message.openEntries += entries.length;
    space.placed(message, transport, recipientCount);
    const now = options.now();
    scheduler.add(transport, message, entries, now);
    for (const destination of new Set(entries.map((entry) => entry.destination)))
      clogWarning.look(transport, destination, activeCount(), now);
  }

  /** Recipients of a further batch go where an earlier one has left room. Gives how many. */
  #fillUp(
    message: ActiveMessage,
    transport: string,
    destination: Destination,
    recipients: readonly RequestRecipient[],
    size: number,
  ): number {
    const last = this.#parts.scheduler.lastWaiting(transport, message, destination)?.recipients;
    if (last === undefined) return 0;
    const added = recipients.slice(0, Math.max(0, size - last.length));
    last.push(...added);
    return added.length;
  }
}
