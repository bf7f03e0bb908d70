/**
 * What a message takes in a queue file of Postfix: message_size_limit is a bound on its content while that comes, and on
 * all of it at its end. postconf(5) message_size_limit
 */
import type { Envelope } from '#message';
import { envelopeBytes } from './envelope-size.ts';
import type { RecipientCollector } from './recipients.ts';
import { RecordSize } from './record-size.ts';
import type { CleanupSettings } from './settings.ts';

/** More than a recipient, and the rest of an envelope, takes. */
const mostOfOne = 2000;
const mostOfEnvelope = 8000;

export class QueueFileSize {
  readonly #content: RecordSize;
  readonly #queueId: string;
  /** 0: no limit. */
  readonly #limit: number;

  constructor(settings: Pick<CleanupSettings, 'lineLengthLimit' | 'messageSizeLimit'>, queueId: string) {
    this.#content = new RecordSize(settings.lineLengthLimit);
    this.#limit = settings.messageSizeLimit;
    this.#queueId = queueId;
  }

  get contentBytes(): number {
    return this.#content.size;
  }

  add(content: Buffer): void {
    this.#content.add(content);
  }

  get isTooLarge(): boolean {
    return this.#limit > 0 && this.#content.size > this.#limit;
  }

  /** The envelope counts, too; where it can't matter nobody adds it up. */
  isTooLargeWith(
    envelope: Omit<Envelope, 'messageId'>,
    sender: string,
    recipients: Pick<RecipientCollector, 'count' | 'recordBytes'>,
  ): boolean {
    const { size } = this.#content;
    if (this.#limit === 0 || size + recipients.count * mostOfOne + mostOfEnvelope < this.#limit) return false;
    return size + envelopeBytes(envelope, this.#queueId, sender) + recipients.recordBytes > this.#limit;
  }
}
