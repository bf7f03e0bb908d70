/** What the log says of bugs and of a store that fails. */
import { type EventChannel, panicOf } from '#events';
import type { ActiveMessage } from './active.ts';

export function emitPanic(error: unknown, events: EventChannel): void {
  events.emit(panicOf(error));
}

export function warnOfStore(message: ActiveMessage, error: unknown, events: EventChannel): void {
  const reason = error instanceof Error ? error.message : String(error);
  events.emit({ kind: 'warning', text: `${message.queued.queueId}: cannot read or update the queue: ${reason}` });
}
