/** Routed recipients become entries of the schedule: one for each delivery that a destination gets. qmgr(8) */
import { compareByDomain } from '#address';
import type { RequestRecipient } from '#message';
import type { ActiveMessage, Entry } from './active.ts';
import type { ClogWarning } from './clog-warning.ts';
import type { Decisions } from './decisions.ts';
import type { Destination } from './destination.ts';
import type { QueueManagerOptions } from './options.ts';
import { bucketKey, type KnownRoute, type Route } from './routing.ts';
import type { Scheduler } from './scheduler.ts';
import type { RecipientSpace } from './recipient-space.ts';
import type { QmgrSettings } from './settings.ts';

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

/** For sort. */
function byDomain({ recipient: one }: Route, { recipient: other }: Route): number {
  return compareByDomain(one.address, other.address);
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
  #assignTransport(
    message: ActiveMessage,
    transport: string,
    routes: readonly (Route & { kind: 'deliver' })[],
  ): number {
    if (!this.#parts.options.agents.has(transport)) {
      const now = this.#parts.options.now();
      if ((this.#absentUntil.get(transport) ?? 0) <= now) {
        this.#absentUntil.set(transport, now + this.#parts.settings.transportRetryMs);
        this.#parts.options.events.emit({
          kind: 'warning',
          text: `connect to transport private/${transport}: No such file or directory`,
        });
      }
      for (const { recipient } of routes.toSorted(byDomain))
        this.#parts.decisions.decide(message, recipient, 'deferred', {
          code: '4.3.0',
          reason: 'mail transport unavailable',
        });
      return 0;
    }
    const { recipientLimit } = this.#parts.scheduler.settingsOf(transport);
    const buckets = Map.groupBy(routes, (route) =>
      bucketKey(
        route.nexthop,
        route.recipient.address,
        recipientLimit,
        this.#recipientDelimiter,
        this.#parts.settings.doubleBounceSender,
      ),
    );
    const entries: Entry[] = [];
    let placed = 0;
    for (const [key, bucket] of byName(buckets)) {
      const [first] = bucket;
      if (first === undefined) continue;
      const destination = this.#parts.scheduler.destination(transport, key, first.nexthop);
      const now = this.#parts.options.now();
      const dead = destination.deadFor(now);
      if (dead !== undefined) {
        const { code, reason } = dead;
        for (const { recipient } of bucket.toSorted(byDomain))
          this.#parts.decisions.decide(message, recipient, 'deferred', {
            code,
            reason: `delivery temporarily suspended: ${reason}`,
          });
        continue;
      }
      const { verp, sender } = message.queued.envelope;
      const atOnce = verp === '' || sender === '' ? recipientLimit : 1;
      const size = atOnce === 0 ? bucket.length : atOnce;
      const sorted = bucket.toSorted(byDomain).map((route) => route.recipient);
      placed += sorted.length;
      const taken = message.placedCount > 0 ? this.#fillUp(message, transport, destination, sorted, atOnce) : 0;
      for (let at = taken; at < sorted.length; at += size)
        entries.push({ message, destination, recipients: sorted.slice(at, at + size) });
    }
    message.openEntries += entries.length;
    this.#parts.space.placed(message, transport, placed);
    const now = this.#parts.options.now();
    this.#parts.scheduler.add(transport, message, entries, now);
    for (const destination of new Set(entries.map((entry) => entry.destination)))
      this.#parts.clogWarning.look(transport, destination, this.#parts.activeCount(), now);
    return placed;
  }

  /** Recipients of a further batch go where an earlier one has left room. Gives how many. */
  #fillUp(
    message: ActiveMessage,
    transport: string,
    destination: Destination,
    recipients: readonly RequestRecipient[],
    atOnce: number,
  ): number {
    const last = this.#parts.scheduler.lastWaiting(transport, message, destination)?.recipients;
    if (last === undefined) return 0;
    const added = atOnce === 0 ? recipients : recipients.slice(0, Math.max(0, atOnce - last.length));
    last.push(...added);
    return added.length;
  }
}
