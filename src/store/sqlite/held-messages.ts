/** The messages this process has claimed, and what is known of them beyond their rows. */
import { type MessageContent, Roster } from '#message';
import type { QueuedMessage } from '../queue-store.ts';
import { memoryContent } from './content.ts';

/** Content of active messages kept in memory altogether; beyond it is read when it is delivered. */
const maxBytesHeld = 64 * 1024 * 1024;

export class HeldMessages {
  readonly #messages = new Roster<string, QueuedMessage>();
  /** Reasons why messages can't be delivered: found while their content was read. */
  readonly #damage = new Map<string, string>();
  readonly #bytesOf = new Map<string, number>();
  #bytesHeld = 0;

  get(queueId: string): QueuedMessage | undefined {
    return this.#messages.get(queueId);
  }

  set(message: QueuedMessage): void {
    this.#messages.set(message.queueId, message);
  }

  damageOf(queueId: string): string | undefined {
    return this.#damage.get(queueId);
  }

  noteDamage(queueId: string, reason: string): void {
    if (this.#messages.has(queueId)) this.#damage.set(queueId, reason);
  }

  /** Content that stays in memory until its message is forgotten; undefined when there is no room for it. */
  keepContent(
    queueId: string,
    chunks: readonly Buffer[],
    sizeBytes: number,
    headerBytes: number,
  ): MessageContent | undefined {
    if (this.#bytesHeld + sizeBytes > maxBytesHeld) return undefined;
    this.#bytesHeld += sizeBytes;
    this.#bytesOf.set(queueId, sizeBytes);
    return memoryContent(chunks, sizeBytes, headerBytes);
  }

  forget({ queueId }: QueuedMessage): void {
    this.#messages.delete(queueId);
    this.#damage.delete(queueId);
    this.#bytesHeld -= this.#bytesOf.get(queueId) ?? 0;
    this.#bytesOf.delete(queueId);
  }
}
