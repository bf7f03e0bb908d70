/** The messages this process has claimed, and what is known of them beyond their rows. */
import type { MessageContent } from '#message';
import type { QueuedMessage } from '../queue-store.ts';
import { memoryContent } from './content.ts';

/** Content of active messages kept in memory altogether; beyond it is read when it is delivered. */
const maxBytesHeld = 64 * 1024 * 1024;

export class HeldMessages {
  readonly #messages = new Map<string, QueuedMessage>();
  /** Reasons why messages can't be delivered: found while their content was read. */
  readonly #damage = new Map<string, string>();
  readonly #inMemory = new Set<MessageContent>();
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
  keepContent(chunks: readonly Buffer[], sizeBytes: number, headerBytes: number): MessageContent | undefined {
    if (this.#bytesHeld + sizeBytes > maxBytesHeld) return undefined;
    this.#bytesHeld += sizeBytes;
    const content = memoryContent(chunks, sizeBytes, headerBytes);
    this.#inMemory.add(content);
    return content;
  }

  forget(message: QueuedMessage): void {
    this.#messages.delete(message.queueId);
    this.#damage.delete(message.queueId);
    if (this.#inMemory.delete(message.content)) this.#bytesHeld -= message.content.sizeBytes;
  }
}
