/** Messages as the operations that write their rows. */
import type { Outcome } from '#message';
import type { QueuedMessage } from '../queue-store.ts';
import { serialOf } from '../queue-id.ts';
import { type GatheredMessage, ownBuffer } from './message-writer.ts';
import type { Operation, PutOperation } from './operations.ts';
import { outcomesText } from './progress.ts';

export interface Arrival {
  readonly serial: number;
  readonly queueId: string;
  readonly gathered: GatheredMessage;
  /** The queue it comes into, and who works on it from the start. */
  readonly lease: { readonly queue: number; readonly holder: number };
}

/** A new message. Content that is still in memory is copied, as the writer thread takes it away. */
export function putOperation({ serial, queueId, gathered, lease }: Arrival): PutOperation {
  const { message, content, recipientParts, hasParts } = gathered;
  return {
    kind: 'put',
    serial,
    id: queueId,
    ...lease,
    due: message.envelope.arrivedAt,
    size: message.sizeBytes,
    contentBytes: content.bytes,
    headerBytes: message.headerBytes,
    envelope: JSON.stringify(message.envelope),
    recipients: JSON.stringify(recipientParts ?? message.recipients),
    hasParts,
    content: content.chunks === undefined ? Buffer.alloc(0) : ownBuffer(content.chunks, content.bytes),
  };
}

/** What an attempt has come to: the message stays, in `queue`, and nobody works on it any more. */
export function updateOperation(
  message: QueuedMessage,
  queue: number,
  due: number,
  outcomes: readonly Outcome[],
  warned: number | undefined,
): Operation & { readonly kind: 'update' } {
  return {
    kind: 'update',
    serial: serialOf(message.queueId) ?? 0,
    queue,
    holder: 0,
    due,
    outcomes: outcomesText(outcomes),
    warned,
  };
}
