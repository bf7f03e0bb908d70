/**
 * The recipients of one message: rewritten, expanded, each once. Few stay here until the message is committed; of many
 * the store takes one load after the other, so that they are never all in memory. cleanup(8)
 */
import { setImmediate } from 'node:timers/promises';
import { compareByDomain, isAsciiText } from '#address';
import type { Notify, Recipient, SubmittedRecipient } from '#message';
import type { MessageWriter } from '#store';
import { type MessageMaps, bccFor, canonicalise, expandAliases } from './address-maps.ts';
import { recipientBytes } from './envelope-size.ts';
import { ready, type Steps } from './steps.ts';

export interface RecipientRules {
  /** bcc tables and always_bcc apply. */
  readonly allowsBcc: boolean;
}

/** Recipients that the store is given at once. */
const load = 500;

export class RecipientCollector {
  readonly #maps: MessageMaps;
  readonly #rules: RecipientRules;
  readonly #store: Pick<MessageWriter, 'addRecipients' | 'forgetRecipients'>;
  readonly #seen = new Set<string>();
  /** Those that the store does not have yet. */
  #waiting: Recipient[] = [];
  #stored = 0;
  #storedBytes = 0;
  /** Of those that the store has: the foremost one, and whether any needs UTF-8. */
  #foremost: Recipient | undefined;
  #hasUtf8 = false;
  #last = '';
  readonly #expanded: Recipient[] = [];

  constructor(
    maps: MessageMaps,
    rules: RecipientRules,
    store: Pick<MessageWriter, 'addRecipients' | 'forgetRecipients'>,
  ) {
    this.#maps = maps;
    this.#rules = rules;
    this.#store = store;
  }

  /** Those that the store does not have yet. */
  get waiting(): readonly Recipient[] {
    return this.#waiting;
  }

  /** All of them; undefined once the store has some. */
  get all(): readonly Recipient[] | undefined {
    return this.#stored === 0 ? this.#waiting : undefined;
  }

  get count(): number {
    return this.#stored + this.#waiting.length;
  }

  /** What their records take in a queue file. */
  get recordBytes(): number {
    return this.#waiting.reduce((sum, one) => sum + recipientBytes(one), this.#storedBytes);
  }

  get hasUtf8(): boolean {
    return this.#hasUtf8 || this.#waiting.some(({ address }) => !isAsciiText(address));
  }

  /** The last one that the submitter named before the content, after canonical mapping and before aliases; '' when there is none. */
  get last(): string {
    return this.#last;
  }

  /** Aliases that were expanded, and whose sender asked to hear of success. */
  get expanded(): readonly Recipient[] {
    return this.#expanded;
  }

  /** A recipient that the submitter named, and the copy that recipient_bcc_maps asks for. */
  *add(recipient: SubmittedRecipient): Steps<void> {
    const mapped = yield* this.#addMapped(recipient);
    if (recipient.isFromHeader !== true) this.#last = mapped;
    if (!this.#rules.allowsBcc) return;
    const bcc = yield* bccFor(this.#maps.settings.recipientBcc, mapped, this.#maps);
    if (bcc !== undefined) yield* this.addBcc(bcc);
  }

  /** A silent copy: no bcc tables, no reports. */
  *addBcc(address: string): Steps<void> {
    yield* this.#addMapped({ address, original: '', dsnOriginal: '', notify: ['never'] }, 'bcc');
  }

  *addSenderBcc(sender: string): Steps<void> {
    if (!this.#rules.allowsBcc) return;
    const bcc = yield* bccFor(this.#maps.settings.senderBcc, sender, this.#maps);
    if (bcc !== undefined) yield* this.addBcc(bcc);
  }

  /** always_bcc, only beside other recipients. */
  *addAlwaysBcc(): Steps<void> {
    const { alwaysBcc } = this.#maps.settings;
    if (alwaysBcc !== '' && this.#rules.allowsBcc && this.count > 0) yield* this.addBcc(alwaysBcc);
  }

  /**
   * All copies become one, for the first recipient in the order the queue manager has them. Gives how many there were.
   * access(5) REDIRECT
   */
  redirect(address: string): number {
    const first = this.#foremostOf(this.#waiting);
    if (first === undefined) return 0;
    const { count } = this;
    this.forget();
    this.#waiting = [{ ...first, address: this.#maps.rewriter.rewrite(address, 'local') }];
    return count;
  }

  /** The message goes to none of them. */
  forget(): void {
    this.#store.forgetRecipients();
    this.#stored = 0;
    this.#storedBytes = 0;
    this.#waiting = [];
    this.#hasUtf8 = false;
  }

  #foremostOf(recipients: readonly Recipient[]): Recipient | undefined {
    let foremost = this.#foremost;
    for (const one of recipients)
      if (foremost === undefined || compareByDomain(one.address, foremost.address) < 0) foremost = one;
    return foremost;
  }

  /** Gives the address after canonical mapping, before aliases. */
  *#addMapped(from: SubmittedRecipient, by: 'submitter' | 'bcc' = 'submitter'): Steps<string> {
    const { rewriter, settings } = this.#maps;
    const standard = rewriter.rewrite(from.address || settings.emptyAddressRecipient, 'local');
    const mapped = yield* canonicalise(standard, 'envelope_recipient', this.#maps);
    // nobody was named
    const isNull = from.address === '' && from.original === '';
    const original = from.original === '' && !isNull ? mapped : from.original;
    // RFC 3461, 5.2.1: what the client did not name is invented here, from what canonical mapping gave
    const dsnOriginal = from.dsnOriginal === '' && by === 'submitter' ? `rfc822;${mapped}` : from.dsnOriginal;
    const targets = yield* expandAliases(mapped, this.#maps);
    const isExpanded = targets.length > 1 || targets[0] !== mapped;
    const notify = isExpanded ? this.#noteExpanded({ ...from, address: mapped, original, dsnOriginal }) : from.notify;
    for (const target of targets) {
      const address = target === '' ? this.#nobody() : target;
      this.#keep({ address, original, dsnOriginal, notify });
      if (this.#waiting.length >= load) yield* this.#hand();
    }
    return mapped;
  }

  /** Who gets what an alias gives to nobody: a name has this host's domain, not $myorigin. */
  #nobody(): string {
    const { rewriter, settings } = this.#maps;
    const name = settings.emptyAddressRecipient;
    return rewriter.rewrite(name.includes('@') ? name : `${name}@${settings.myhostname}`, 'local');
  }

  /** What is still to be told of the addresses that an alias stands for. RFC 3461, 5.2.7 */
  #noteExpanded({ address, original, dsnOriginal, notify }: Recipient): readonly Notify[] {
    if (!notify.includes('success')) return notify;
    this.#expanded.push({ address, original, dsnOriginal, notify });
    const rest = notify.filter((word) => word !== 'success');
    return rest.length === 0 ? ['never'] : rest;
  }

  #keep(recipient: Recipient): void {
    const { enableOriginalRecipient, duplicateFilterLimit } = this.#maps.settings;
    const { address, original, dsnOriginal, notify } = recipient;
    const key = enableOriginalRecipient
      ? `${dsnOriginal}\n${notify.join()}\n${original}\n${address}`.toLowerCase()
      : address.toLowerCase();
    if (this.#seen.has(key)) return;
    if (duplicateFilterLimit === 0 || this.#seen.size < duplicateFilterLimit) this.#seen.add(key);
    this.#waiting.push(recipient);
  }

  /** Gives the store what waits; others have their turn meanwhile. */
  *#hand(): Steps<void> {
    this.#foremost = this.#foremostOf(this.#waiting);
    this.#hasUtf8 = this.hasUtf8;
    this.#storedBytes = this.recordBytes;
    this.#stored += this.#waiting.length;
    yield* ready(this.#store.addRecipients(this.#waiting));
    this.#waiting = [];
    yield* ready(setImmediate());
  }
}
