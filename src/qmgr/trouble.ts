/** What the log says of bugs and of a store that fails. */
import { type EventChannel, panicOf } from '#events';
import { StoreError, StoreFullError } from '#store';
import type { ActiveMessage } from './active.ts';

/** Of what was thrown while a message was worked on. A bug is told with its stack. */
export function tellTrouble({ queued: { queueId } }: ActiveMessage, error: unknown, events: EventChannel): void {
  if (error instanceof StoreError || error instanceof StoreFullError)
    events.emit({ kind: 'warning', text: `${queueId}: cannot read or update the queue: ${error.message}` });
  else events.emit(panicOf(error, `${queueId}: `));
}
