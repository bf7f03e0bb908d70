/**
 * Who is told what about a message: notices to the sender, copies to the postmaster, and what is never told. bounce(8)
 *
 * A notice is a new message that starts at cleanup, with the null sender; one to the postmaster comes from the double
 * bounce address, whose own failures end here.
 */
import type { Settings } from '#config';
import type { EventChannel, NoticeSent } from '#events';
import {
  formatMailDate,
  internalEnvelope,
  internalReceived,
  type Notify,
  type Submission,
  type SubmissionPort,
} from '#message';
import {
  isTrace,
  type Notice,
  noticeChunks,
  type NoticeKind,
  type NotifiedParts,
  type ReturnedMessage,
} from './report.ts';
import { type BounceSettings, readBounceSettings } from './settings.ts';
import type { Template } from './templates.ts';
import { verpSender } from './verp.ts';

export interface BouncerOptions {
  readonly submission: SubmissionPort;
  readonly settings: Settings;
  readonly events: EventChannel;
  readonly now?: () => number;
}

export type NotifyResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export interface Bouncer {
  /**
   * Tells of the outcomes of some recipients whoever is to know. `ok` also when nobody is; otherwise try again later.
   * `verify`: the report that `sendmail -bv` asked for.
   */
  notify(kind: NoticeKind, message: ReturnedMessage, recipients: NotifiedParts, to?: string): Promise<NotifyResult>;
}

const OK: NotifyResult = { ok: true };

export function createBouncer(options: BouncerOptions): Bouncer {
  const { events } = options;
  const settings = readBounceSettings(options.settings, (text) => events.emit({ kind: 'warning', text }));
  return new NoticeSender(options, settings);
}

/** NOTIFY that must be among a recipient's, when it has any. RFC 3461, 4.1. `sendmail -v` and `-bv` tell of all. */
function wants(notify: readonly Notify[], kind: NoticeKind): boolean {
  switch (kind) {
    case 'failure':
    case 'delay':
      return notify.length === 0 || notify.includes(kind);
    case 'success':
    case 'verify':
      return true;
  }
}

async function isEmpty(parts: NotifiedParts): Promise<boolean> {
  for await (const part of parts) if (part.length > 0) return false;
  return true;
}

/** Those who want to hear of it; parts with nobody are left out. */
function wanting(all: NotifiedParts, kind: NoticeKind): NotifiedParts {
  return {
    async *[Symbol.asyncIterator]() {
      for await (const part of all) {
        const wanted = part.filter(({ recipient }) => wants(recipient.notify, kind));
        if (wanted.length > 0) yield wanted;
      }
    },
  };
}

/** As the log names a notice. */
function described({ kind, isPostmasterCopy }: Notice): Pick<NoticeSent, 'to' | 'about'> {
  return {
    to: isPostmasterCopy ? 'postmaster' : 'sender',
    about: kind === 'failure' ? 'non-delivery' : kind === 'delay' ? 'delay' : 'delivery status',
  };
}

class NoticeSender implements Bouncer {
  readonly #options: BouncerOptions;
  readonly #settings: BounceSettings;

  constructor(options: BouncerOptions, settings: BounceSettings) {
    this.#options = options;
    this.#settings = settings;
  }

  async notify(
    kind: NoticeKind,
    message: ReturnedMessage,
    all: NotifiedParts,
    to = message.envelope.sender,
  ): Promise<NotifyResult> {
    if (await isEmpty(all)) return OK;
    const problem = this.#settings.templates.problem();
    if (problem !== undefined) return this.#fail(problem);
    if (to === '') return this.#nullSender(kind, message, all);
    if (to.toLowerCase() === this.#settings.doubleBounceSender.toLowerCase()) {
      const { queueId } = message;
      this.#options.events.emit(
        isTrace(kind)
          ? { kind: 'reportNotSent', queueId, sender: 'double bounce' }
          : { kind: 'postmasterNoticeDiscarded', queueId },
      );
      return OK;
    }
    const result = await this.#toSender(kind, message, all, to);
    if (result.ok) await this.#toPostmaster(kind, message, all);
    return result;
  }

  /** Recipients of whom the sender wants to hear. */
  async #toSender(kind: NoticeKind, message: ReturnedMessage, all: NotifiedParts, to: string): Promise<NotifyResult> {
    const recipients = wanting(all, kind);
    const { envelope, sizeBytes } = message;
    // also when nobody wants to hear of it
    const { problem, warnings } = this.#template(kind, message);
    if (problem !== undefined) return this.#fail(problem, warnings);
    if (await isEmpty(recipients)) {
      this.#warn(warnings);
      return OK;
    }
    // RFC 3461, 4.3: RET is about failures; other reports return the headers only.
    const isFull = kind === 'failure' && envelope.ret !== 'hdrs' && sizeBytes <= this.#settings.sizeLimit;
    const isVerp = kind === 'failure' && to === envelope.sender && envelope.verp !== '' && !this.#settings.ignoresVerp;
    if (!isVerp) return this.#send(this.#notice(kind, message, recipients, to, false, !isFull));
    for await (const part of recipients) {
      for (const entry of part) {
        const { address, original } = entry.recipient;
        const own = verpSender(envelope.verp, to, original === '' ? address : original);
        const result = await this.#send(this.#notice(kind, message, [[entry]], own, false, !isFull));
        if (!result.ok) return result;
      }
    }
    return OK;
  }

  /** The postmaster hears of all, whatever NOTIFY says. */
  async #toPostmaster(kind: NoticeKind, message: ReturnedMessage, all: NotifiedParts): Promise<void> {
    const { copiesBounces, copiesDelays, bounceRecipient, delayRecipient } = this.#settings;
    const copyTo =
      kind === 'failure' && copiesBounces ? bounceRecipient : kind === 'delay' && copiesDelays ? delayRecipient : '';
    if (copyTo !== '') await this.#send(this.#notice(kind, message, all, copyTo, true, true));
  }

  /** Nobody is left to tell but the postmaster. */
  async #nullSender(kind: NoticeKind, message: ReturnedMessage, recipients: NotifiedParts): Promise<NotifyResult> {
    const { copiesDoubleBounces, doubleBounceRecipient, sizeLimit } = this.#settings;
    if (kind === 'failure' && copiesDoubleBounces) {
      const isFull = message.sizeBytes <= sizeLimit;
      return this.#send(this.#notice(kind, message, recipients, doubleBounceRecipient, true, !isFull));
    }
    if (isTrace(kind)) {
      this.#options.events.emit({ kind: 'reportNotSent', queueId: message.queueId, sender: 'null' });
    }
    return OK;
  }

  /** `sendmail -v` gets the report of `-bv`, whatever came of the message. */
  #template(kind: NoticeKind, { envelope }: ReturnedMessage): Template {
    return this.#settings.templates.of(kind === 'success' && envelope.trace !== '' ? 'verify' : kind);
  }

  #warn(texts: readonly string[]): void {
    for (const text of texts) this.#options.events.emit({ kind: 'warning', text });
  }

  #fail(reason: string, warnings: readonly string[] = []): NotifyResult {
    this.#warn(warnings);
    this.#options.events.emit({ kind: 'fatal', text: reason });
    return { ok: false, reason };
  }

  #notice(
    kind: NoticeKind,
    message: ReturnedMessage,
    recipients: NotifiedParts,
    to: string,
    isPostmasterCopy: boolean,
    headersOnly: boolean,
  ): Notice {
    const template = this.#template(kind, message);
    const at = (this.#options.now ?? Date.now)();
    if (!isPostmasterCopy) this.#warn(template.warnings);
    const isRedacted = this.#asksForTls(message) && this.#settings.redactsRequireTls;
    return { kind, message, recipients, template, to, isPostmasterCopy, headersOnly: headersOnly || isRedacted, at };
  }

  #asksForTls({ envelope }: ReturnedMessage): boolean {
    return this.#settings.heedsRequireTls && envelope.requireTls;
  }

  async #send(notice: Notice): Promise<NotifyResult> {
    const { message, to } = notice;
    const submission = this.#open(notice);
    // the old and the new queue id are joined before the log speaks of the new one
    this.#options.events.emit({
      kind: 'noticeSent',
      queueId: message.queueId,
      ...described(notice),
      newQueueId: submission.queueId,
    });
    try {
      await submission.addRecipient({ address: to, original: to, dsnOriginal: '', notify: [] });
      for await (const chunk of noticeChunks(notice, this.#settings)) await submission.write(chunk);
    } catch (error) {
      submission.abort();
      throw error;
    }
    const result = await submission.end();
    if (result.kind === 'queued') return OK;
    const reason = result.text;
    this.#options.events.emit({
      kind: 'noticeFailed',
      queueId: message.queueId,
      to: described(notice).to,
      address: to,
      reason,
    });
    return { ok: false, reason };
  }

  #open({ message, isPostmasterCopy, at }: Notice): Submission {
    const { smtputf8, encoding } = message.envelope;
    // the way back may not have what the way here had. RFC 8689, 5
    const requireTls = this.#asksForTls(message) && !this.#settings.redactsRequireTls;
    const sender = isPostmasterCopy ? this.#settings.doubleBounceSender : '';
    const submission: Submission = this.#options.submission.open({
      source: 'bounce',
      overrides: [],
      envelope: { ...internalEnvelope(sender, at, 'bounce'), smtputf8, encoding, requireTls },
      prepend: () => internalReceived(submission.queueId, formatMailDate(at), this.#settings),
    });
    return submission;
  }
}
