/**
 * Recipients of active messages on their way into the schedule: taken from the message a batch at a time, and routed.
 * What one batch is, and when the next one is due, says `recipient-space.ts`.
 */
import type { MaybePromise, RequestRecipient } from '#message';
import type { StoredRecipient } from '#store';
import type { ActiveMessage } from './active.ts';
import type { QueueManagerOptions } from './options.ts';
import type { RecipientSpace } from './recipient-space.ts';
import { expiredRoute, type KnownRoute, type Route, routeRecipient, type RoutingOptions } from './routing.ts';

/** More would hold up everything else. */
const mostInATurn = 1000;

export interface MessageReaderParts {
  readonly options: Pick<QueueManagerOptions, 'resolve' | 'now'>;
  readonly settings: RoutingOptions['settings'];
  readonly space: RecipientSpace;
  readonly isFullOfProbes: () => boolean;
  /** A batch is routed. */
  readonly onRouted: (message: ActiveMessage, routes: readonly (Route | KnownRoute)[]) => void;
  /** A bug or damage was met: these recipients, and those not read yet, go nowhere. */
  readonly onFailed: (message: ActiveMessage, recipients: readonly RequestRecipient[], error: unknown) => void;
  /** A further batch has been read. */
  readonly onFurther: () => void;
}

export class MessageReader {
  readonly #parts: MessageReaderParts;
  #turn: NodeJS.Immediate | undefined;

  constructor(parts: MessageReaderParts) {
    this.#parts = parts;
  }

  /** The first recipients of a message that has become active. */
  begin(message: ActiveMessage): void {
    this.#read(message, this.#parts.space.firstBatch(message));
  }

  /** Reads what is due now, a batch in each turn of the event loop: a large message holds nothing up. */
  goOn(now: number): void {
    const { options, space, onFurther } = this.#parts;
    if (!space.isReading || this.#turn !== undefined || space.due(now) === undefined) return;
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      const due = space.due(options.now());
      if (due !== undefined) this.#read(due.message, due.count);
      onFurther();
    });
  }

  stop(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
  }

  #read(message: ActiveMessage, count: number): void {
    const { options, space, onFailed } = this.#parts;
    const wanted = Math.min(count, mostInATurn);
    let batch: readonly StoredRecipient[] = [];
    message.isRouting = true;
    try {
      batch = message.nextRecipients(wanted);
      // what was said of the message before its parts were read is not to be trusted where they say otherwise
      if (batch.length < wanted) message.unreadCount = batch.length;
      space.read(message, batch.length, options.now());
      this.#route(message, batch);
    } catch (error) {
      onFailed(message, batch, error);
    }
  }

  #route(message: ActiveMessage, recipients: readonly StoredRecipient[]): void {
    const { options, settings, isFullOfProbes, onRouted, onFailed } = this.#parts;
    if (message.queued.forcedExpire && !message.isProbe) {
      onRouted(message, recipients.map(expiredRoute));
      return;
    }
    const effective = message.isFlushed ? { ...settings, deferTransports: [] } : settings;
    const routing = { settings: effective, resolve: options.resolve, isFullOfProbes: isFullOfProbes() };
    const routes: MaybePromise<Route>[] = [];
    try {
      for (const recipient of recipients) routes.push(routeRecipient(message.queued, recipient, routing));
    } catch (error) {
      // nobody waits any more for those that are looked up: a bug that is met there as well must not end the process
      void Promise.allSettled(routes.map((route) => Promise.resolve(route)));
      throw error;
    }
    const ready = routes.filter((route): route is Route => !(route instanceof Promise));
    if (ready.length === routes.length) {
      onRouted(message, ready);
      return;
    }
    Promise.all(routes.map((route) => Promise.resolve(route)))
      .then((all) => onRouted(message, all))
      .catch((error: unknown) => onFailed(message, recipients, error));
  }
}
