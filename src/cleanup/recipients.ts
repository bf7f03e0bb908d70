/** The recipients of one message: rewritten, expanded, each once. cleanup(8), inventory i.1, i.4 */
import type { Recipient, SubmittedRecipient } from '#message';
import { type MessageMaps, bccFor, canonicalise, expandAliases } from './address-maps.ts';
import type { Steps } from './steps.ts';

export interface RecipientRules {
  /** Without no_address_mappings. */
  readonly expandsAliases: boolean;
  /** bcc tables and always_bcc apply. */
  readonly allowsBcc: boolean;
}

export class RecipientCollector {
  readonly #maps: MessageMaps;
  readonly #rules: RecipientRules;
  readonly #seen = new Set<string>();
  #all: Recipient[] = [];
  #last = '';

  constructor(maps: MessageMaps, rules: RecipientRules) {
    this.#maps = maps;
    this.#rules = rules;
  }

  get all(): readonly Recipient[] {
    return this.#all;
  }

  /** The last one that the submitter named, after canonical mapping and before aliases; '' when there is none. */
  get last(): string {
    return this.#last;
  }

  /** A recipient that the submitter named, and the copy that recipient_bcc_maps asks for. */
  *add(recipient: SubmittedRecipient): Steps<void> {
    const mapped = yield* this.#addMapped(recipient);
    this.#last = mapped;
    if (!this.#rules.allowsBcc) return;
    const bcc = yield* bccFor(this.#maps.settings.recipientBcc, mapped, this.#maps);
    if (bcc !== undefined) yield* this.addBcc(bcc);
  }

  /** A silent copy: no bcc tables, no reports. */
  *addBcc(address: string): Steps<void> {
    yield* this.#addMapped({ address, original: '', dsnOriginal: '', notify: ['never'] });
  }

  *addSenderBcc(sender: string): Steps<void> {
    if (!this.#rules.allowsBcc) return;
    const bcc = yield* bccFor(this.#maps.settings.senderBcc, sender, this.#maps);
    if (bcc !== undefined) yield* this.addBcc(bcc);
  }

  /** always_bcc, only beside other recipients. */
  *addAlwaysBcc(): Steps<void> {
    const { alwaysBcc } = this.#maps.settings;
    if (alwaysBcc !== '' && this.#rules.allowsBcc && this.#all.length > 0) yield* this.addBcc(alwaysBcc);
  }

  /** All copies become one, for the first recipient in the order the queue manager has them. access(5) REDIRECT */
  redirect(address: string): void {
    const [first] = this.#all.toSorted((a, b) => (a.address.toLowerCase() < b.address.toLowerCase() ? -1 : 1));
    if (first !== undefined) this.#all = [{ ...first, address: this.#maps.rewriter.rewrite(address, 'local') }];
  }

  /** Gives the address after canonical mapping, before aliases. */
  *#addMapped(from: SubmittedRecipient): Steps<string> {
    const { rewriter } = this.#maps;
    const standard = rewriter.rewrite(from.address === '' ? 'MAILER-DAEMON' : from.address, 'local');
    const mapped = yield* canonicalise(standard, 'envelope_recipient', this.#maps);
    const original = from.original === '' ? mapped : from.original;
    // RFC 3461, 5.2.1: what the client did not name is invented here
    const dsnOriginal = from.dsnOriginal === '' ? `rfc822;${standard}` : from.dsnOriginal;
    const targets = this.#rules.expandsAliases ? yield* expandAliases(mapped, this.#maps) : [mapped];
    for (const target of targets) {
      const address = target === '' ? rewriter.rewrite('MAILER-DAEMON', 'local') : target;
      this.#keep({ address, original, dsnOriginal, notify: from.notify });
    }
    return mapped;
  }

  #keep(recipient: Recipient): void {
    const { enableOriginalRecipient, duplicateFilterLimit } = this.#maps.settings;
    const { address, original, dsnOriginal, notify } = recipient;
    const key = enableOriginalRecipient
      ? `${dsnOriginal}\n${notify.join()}\n${original}\n${address}`.toLowerCase()
      : address.toLowerCase();
    if (this.#seen.has(key)) return;
    if (duplicateFilterLimit === 0 || this.#seen.size < duplicateFilterLimit) this.#seen.add(key);
    this.#all.push(recipient);
  }
}
