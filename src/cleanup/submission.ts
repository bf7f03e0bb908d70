/**
 * One message on its way into the queue, as a row of steps: envelope, header section, body, commit. cleanup(8)
 *
 * Recipients and content come in order and may need tables, so each step waits for the one before it; while nothing
 * has to wait, all of it is synchronous.
 */
import { isAsciiText } from '#address';
import type { EventChannel } from '#events';
import type {
  MaybePromise,
  Submission,
  SubmissionAction,
  SubmissionOptions,
  SubmissionResult,
  SubmittedRecipient,
} from '#message';
import { thrownText } from '#native';
import { type MessageWriter, type QueueStore, StoreFullError } from '#store';
import { type AddressMaps, MapError, type MessageMaps } from './address-maps.ts';
import { aliased, aliasedDelivery } from './aliased-probe.ts';
import { ContentReader } from './content-reader.ts';
import { Decisions } from './decisions.ts';
import { cleanSender } from './envelope-sender.ts';
import { type InspectedMessage, Inspector } from './inspector.ts';
import { QueueFileSize } from './queue-file-size.ts';
import { RecipientCollector } from './recipients.ts';
import { type Refusal, refuse } from './refusal.ts';
import type { Steps } from './steps.ts';
import { Turns } from './turns.ts';

export interface CleanupParts {
  readonly maps: AddressMaps;
  readonly store: Pick<QueueStore, 'begin'>;
  readonly events: EventChannel;
  /** What arriving mail waits for before it is queued. */
  readonly pause: () => Promise<void> | undefined;
}

/** Mail from outside is checked and copied; of our own, only what internal_mail_filter_classes names is checked. */
const isFromOutside = (source: SubmissionOptions['source']): boolean => source === 'smtpd' || source === 'pickup';

export class CleanupSubmission implements Submission {
  readonly queueId: string;
  readonly #parts: CleanupParts;
  readonly #options: SubmissionOptions;
  readonly #writer: MessageWriter;
  readonly #maps: MessageMaps;
  readonly #recipients: RecipientCollector;
  readonly #content: ContentReader;
  readonly #decisions: Decisions;
  readonly #turns = new Turns();
  #sender: string;
  /** Recipients there were before REDIRECT. */
  #redirectedCount = 0;
  #refusal: Refusal | undefined;
  readonly #size: QueueFileSize;

  constructor(parts: CleanupParts, options: SubmissionOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#writer = parts.store.begin(options.envelope.arrivedAt);
    this.queueId = this.#writer.queueId;
    const mapsAddresses = !options.overrides.includes('no_address_mappings');
    this.#maps = { ...parts.maps, queueId: this.queueId, mapsAddresses };
    this.#size = new QueueFileSize(parts.maps.settings, this.queueId);
    this.#sender = options.envelope.sender;
    this.#decisions = new Decisions(options.envelope.contentFilter);
    const rules = { allowsBcc: mapsAddresses && isFromOutside(options.source) };
    this.#recipients = new RecipientCollector(this.#maps, rules, this.#writer);
    this.#content = new ContentReader({
      queueId: this.queueId,
      envelope: options.envelope,
      sender: () => this.#sender,
      prepend: () => this.#top(),
      maps: this.#maps,
      inspector: this.#createInspector(),
      events: parts.events,
      refuse: (refusal) => this.#refuse(refusal),
      store: (content) => this.#store(content),
      isOver: () => this.#isOver && !this.#isReadToEnd,
    });
    void this.#do(() => this.#rewriteSender());
  }

  #createInspector(): Inspector {
    const { maps, events } = this.#parts;
    const { source, overrides } = this.#options;
    const isChecked = isFromOutside(source)
      ? !overrides.includes('no_header_body_checks')
      : maps.settings.checkedOwnMail.has(source);
    return new Inspector({
      settings: maps.settings,
      events,
      isOn: isChecked,
      message: () => this.#inspectedMessage(),
      isHeld: () => this.#decisions.isHeld,
      apply: (action) => this.apply(action),
      refuse: (refusal) => this.#refuse(refusal),
    });
  }

  #inspectedMessage(): InspectedMessage {
    const { source, envelope } = this.#options;
    const { logClient } = envelope;
    return {
      queueId: this.queueId,
      origin: source === 'smtpd' ? `${logClient.name}[${logClient.address}]` : 'local',
      protocol: logClient.protocol,
      helo: logClient.heloName,
      sender: this.#sender,
      recipient: this.#recipients.last,
    };
  }

  #top(): Buffer {
    const { prepend } = this.#options;
    return this.#decisions.above(typeof prepend === 'function' ? prepend() : prepend);
  }

  get #isOver(): boolean {
    return this.#refusal !== undefined || this.#decisions.isDiscarded;
  }

  /** Mail of sendmail is read to its end though it is refused for good: it goes back with what is known then. */
  get #isReadToEnd(): boolean {
    if (this.#options.source !== 'pickup' || this.#decisions.isDiscarded) return false;
    return this.#refusal !== undefined && (this.#refusal.code >= 500 || this.#refusal.isRuleText);
  }

  /** The first reason counts. */
  #refuse(refusal: Refusal): void {
    this.#refusal ??= refusal;
  }

  /** Runs a step after those before it, unless the message is refused or thrown away by then. */
  #do(step: () => Steps<void>): MaybePromise<void> {
    return this.#turns.take(() => this.#guard(step));
  }

  *#guard(step: () => Steps<void>): Steps<void> {
    if (this.#isOver && !this.#isReadToEnd) return;
    try {
      yield* step();
    } catch (error) {
      const text = thrownText(error);
      this.#warn(`${text} -- message not accepted, try again later`);
      const isExpansion = error instanceof MapError && error.problem === 'expansion';
      this.#refuse(refuse(isExpansion ? 'aliases' : 'write'));
    }
  }

  #warn(text: string): void {
    this.#parts.events.emit({ kind: 'warning', text: `${this.queueId}: ${text}` });
  }

  *#rewriteSender(): Steps<void> {
    this.#sender = yield* cleanSender(this.#sender, this.#maps);
    yield* this.#recipients.addSenderBcc(this.#sender);
  }

  addRecipient(recipient: SubmittedRecipient): MaybePromise<void> {
    return this.#do(() => this.#recipients.add(recipient));
  }

  apply(action: SubmissionAction): void {
    this.#decisions.apply(action);
  }

  write(chunk: Buffer): MaybePromise<void> {
    return this.#do(() => this.#content.read(chunk));
  }

  /** Counts and hands on to the store, until the message is refused. */
  #store(content: Buffer): MaybePromise<void> {
    if (this.#isOver) return undefined;
    this.#size.add(content);
    if (!this.#size.isTooLarge) return this.#writer.write(content);
    this.#refuseSize();
    return undefined;
  }

  async end(): Promise<SubmissionResult> {
    await this.#do(() => this.#finish());
    if (!this.#isOver && this.#recipients.count === 0) this.#refuse(refuse('recipients'));
    const { onAliased } = this.#options;
    if (onAliased !== undefined && this.#recipients.count > 1) {
      this.#parts.events.emit(aliasedDelivery(this.queueId, this.#recipients.last, this.#options.envelope.arrivedAt));
      onAliased(aliased);
      this.#recipients.forget();
    }
    return this.#isOver ? this.#leave() : this.#commit();
  }

  /** Nothing is queued: the message was refused or thrown away. */
  #leave(): SubmissionResult {
    this.#writer.abort();
    const { events } = this.#parts;
    if (this.#refusal === undefined) {
      events.emit({ kind: 'canceled', queueId: this.queueId, how: 'discarded' });
      return { kind: 'queued', queueId: this.queueId };
    }
    if (this.#options.source === 'smtpd') events.emit({ kind: 'canceled', queueId: this.queueId, how: 'canceled' });
    const recipients = this.#recipients.all;
    const { cleanHeader: header, messageId } = this.#content;
    const returned = { sender: this.#sender, messageId, ...(recipients && { recipients }), ...(header && { header }) };
    return { ...this.#refusal, returned };
  }

  *#finish(): Steps<void> {
    yield* this.#content.end();
    if (this.#isOver) return;
    yield* this.#recipients.addAlwaysBcc();
    for (const address of this.#decisions.bcc) yield* this.#recipients.addBcc(address);
    const { redirect } = this.#decisions;
    if (redirect !== undefined) this.#redirectedCount = this.#recipients.redirect(redirect);
    const { envelope } = this.#options;
    if (this.#size.isTooLargeWith(envelope, this.#sender, this.#recipients)) this.#refuseSize();
  }

  #refuseSize(): void {
    this.#warn('queue file size limit exceeded');
    this.#refuse(refuse('size'));
  }

  async #commit(): Promise<SubmissionResult> {
    // our own mail is the queue manager's work: it would hold up itself
    const pause = isFromOutside(this.#options.source) ? this.#parts.pause() : undefined;
    if (pause !== undefined) await pause;
    try {
      await this.#writer.commit({
        envelope: {
          ...this.#options.envelope,
          sender: this.#sender,
          smtputf8: this.#options.envelope.smtputf8 || this.#isUtf8(),
          contentFilter: this.#decisions.contentFilter,
          // who says BODY=7BIT and declares 8-bit content is not believed
          encoding: this.#content.encoding || this.#options.envelope.encoding,
          messageId: this.#content.messageId,
          ...(this.#content.tls ?? { tlsNotRequired: false }),
          ...(this.#redirectedCount > 1 && { recipientCount: this.#redirectedCount }),
          ...(this.#recipients.expanded.length > 0 && { expanded: this.#recipients.expanded }),
        },
        recipients: this.#recipients.waiting,
        queue: this.#decisions.isHeld ? 'hold' : 'incoming',
        headerBytes: this.#content.headerBytes,
        sizeBytes: this.#size.contentBytes,
      });
      return { kind: 'queued', queueId: this.queueId };
    } catch (error) {
      this.#warn(`queue file write error: ${thrownText(error)}`);
      return refuse(error instanceof StoreFullError ? 'full' : 'write');
    }
  }

  /** UTF-8 in envelope or header section needs SMTPUTF8 on the way, asked for or not. SMTPUTF8_README */
  #isUtf8(): boolean {
    const { utf8Detection } = this.#parts.maps.settings;
    const { source } = this.#options;
    if (!utf8Detection.has(source === 'pickup' ? 'sendmail' : source) && !utf8Detection.has('all')) return false;
    return this.#content.hasUtf8Header || !isAsciiText(this.#sender) || this.#recipients.hasUtf8;
  }

  abort(): void {
    this.#refuse(refuse('aborted'));
    this.#writer.abort();
    this.#parts.events.emit({ kind: 'canceled', queueId: this.queueId, how: 'canceled' });
  }
}
