/**
 * One message on its way into the queue, as a row of steps: envelope, header section, body, commit. cleanup(8)
 *
 * Recipients and content come in order and may need tables, so each piece of work waits for the one before it; while
 * nothing has to wait, all of it is synchronous.
 */
import type { EventChannel } from '#events';
import { toExternal } from '#address';
import type {
  Recipient,
  Submission,
  SubmissionAction,
  SubmissionOptions,
  SubmissionResult,
  SubmittedRecipient,
} from '#message';
import { type MessageWriter, type QueueStore, StoreFullError } from '#store';
import { type AddressMaps, bccFor, canonicalise, expandAliases, MapError } from './address-maps.ts';
import { lineWith, without } from './characters.ts';
import { checkLine, type CheckOutcome } from './content-checks.ts';
import { isMimeField, splitHeader } from './header-fields.ts';
import { missingFields, rewriteField } from './message-header.ts';
import type { CleanupSettings } from './settings.ts';

export interface CleanupParts {
  readonly settings: CleanupSettings;
  readonly maps: AddressMaps;
  readonly store: Pick<QueueStore, 'begin'>;
  readonly events: EventChannel;
}

type Refusal = SubmissionResult & { readonly kind: 'refused' };

const refuse = (code: number, dsn: string, text: string): Refusal => ({ kind: 'refused', code, dsn, text });
const headerEnd = Buffer.from('\r\n\r\n');
const crlf = Buffer.from('\r\n');

export class CleanupSubmission implements Submission {
  readonly queueId: string;
  readonly #parts: CleanupParts;
  readonly #options: SubmissionOptions;
  readonly #writer: MessageWriter;
  readonly #recipients: Recipient[] = [];
  readonly #seen = new Set<string>();
  readonly #bcc: string[] = [];
  #prepended: string[] = [];
  #sender: string;
  #contentFilter: string;
  #isHeld = false;
  #isDiscarded = false;
  #redirect: string | undefined;
  #refusal: Refusal | undefined;
  /** Work that must finish before the next piece; undefined: nothing waits. */
  #turn: Promise<void> | undefined;
  #header: Buffer[] | undefined = [];
  #headerBytes = 0;
  #sizeBytes = 0;
  /** Lines of 128 bytes and more: each counts one byte more, as Postfix's records do. */
  #bodyRest: Buffer = Buffer.alloc(0);
  #bodyChecked = 0;
  #checksOff = false;
  #messageId = '';
  #firstRecipient = '';

  constructor(parts: CleanupParts, options: SubmissionOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#writer = parts.store.begin(options.envelope.arrivedAt);
    this.queueId = this.#writer.queueId;
    this.#sender = options.envelope.sender;
    this.#contentFilter = options.envelope.contentFilter;
    if (options.envelope.sender !== '') this.#do(() => this.#rewriteSender());
  }

  get #mapsAddresses(): boolean {
    return (
      !this.#options.overrides.includes('no_address_mappings') &&
      this.#options.source !== 'bounce' &&
      this.#options.source !== 'notify'
    );
  }

  /** Probes are for one address only. */
  get #addsCopies(): boolean {
    return this.#mapsAddresses && this.#options.source !== 'verify';
  }

  get #checksContent(): boolean {
    if (this.#checksOff || this.#options.overrides.includes('no_header_body_checks')) return false;
    return this.#options.source === 'smtpd' || this.#options.source === 'pickup' || this.#options.source === 'forward';
  }

  /** Runs a step after those before it. */
  #do(step: () => Promise<void>): void {
    const before = this.#turn;
    const run = before === undefined ? step() : before.then(step);
    const guarded = run
      .catch((error: unknown) => this.#onError(error))
      .then(() => {
        if (this.#turn === guarded) this.#turn = undefined;
      });
    this.#turn = guarded;
  }

  #onError(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.#parts.events.emit({
      kind: 'warning',
      text: `${this.queueId}: ${text} -- message not accepted, try again later`,
    });
    const isExpansion = error instanceof MapError && text.startsWith('unreasonable');
    this.#refusal ??= isExpansion
      ? refuse(451, '4.6.0', 'Alias expansion error')
      : refuse(451, '4.3.0', 'Temporary lookup failure');
  }

  async #rewriteSender(): Promise<void> {
    const { maps, settings } = this.#parts;
    const standard = maps.rewriter.rewrite(this.#sender, 'local');
    this.#sender = await canonicalise(standard, 'envelope_sender', maps);
    const bcc = this.#addsCopies ? await bccFor(settings.senderBcc, this.#sender, maps) : undefined;
    if (bcc !== undefined) this.#bcc.push(bcc);
  }

  addRecipient(recipient: SubmittedRecipient): void {
    if (this.#firstRecipient === '') this.#firstRecipient = recipient.address;
    this.#do(() => this.#expand(recipient));
  }

  async #expand(recipient: SubmittedRecipient, isBcc = false): Promise<void> {
    const { maps, settings } = this.#parts;
    const standard = maps.rewriter.rewrite(recipient.address === '' ? 'MAILER-DAEMON' : recipient.address, 'local');
    const mapped = await canonicalise(standard, 'envelope_recipient', maps);
    const bcc = this.#addsCopies && !isBcc ? await bccFor(settings.recipientBcc, mapped, maps) : undefined;
    if (bcc !== undefined) this.#bcc.push(bcc);
    const targets = this.#mapsAddresses ? await expandAliases(mapped, maps) : [mapped];
    for (const address of targets) this.#add(address, recipient, standard);
  }

  #add(address: string, from: SubmittedRecipient, standard: string): void {
    const { settings } = this.#parts;
    const original = from.original === '' ? standard : from.original;
    // RFC 3461, 5.2.1: what the client did not name is invented here
    const dsnOriginal = from.dsnOriginal === '' ? `rfc822;${toExternal(standard)}` : from.dsnOriginal;
    const key = settings.enableOriginalRecipient
      ? `${dsnOriginal}\0${from.notify.join()}\0${original.toLowerCase()}\0${address.toLowerCase()}`
      : address.toLowerCase();
    if (this.#seen.has(key)) return;
    if (this.#seen.size < settings.duplicateFilterLimit || settings.duplicateFilterLimit === 0) this.#seen.add(key);
    this.#recipients.push({ address, original, dsnOriginal, notify: from.notify });
  }

  apply(action: SubmissionAction): void {
    switch (action.kind) {
      case 'hold':
        this.#isHeld = true;
        return;
      case 'discard':
        this.#isDiscarded = true;
        return;
      case 'filter':
        this.#contentFilter = action.destination;
        return;
      case 'redirect':
        this.#redirect = action.address;
        return;
      case 'bcc':
        this.#bcc.push(action.address);
        return;
      case 'prepend':
        this.#prepended.push(action.header);
    }
  }

  write(chunk: Buffer): void | Promise<void> {
    if (this.#refusal !== undefined || this.#isDiscarded) return undefined;
    const content = this.#cleaned(chunk);
    if (content === undefined) return undefined;
    if (this.#turn === undefined && this.#header === undefined && !this.#scansBody) return this.#store(content);
    this.#do(() => this.#take(content));
    return this.#turn;
  }

  /** Without what may not be in it; undefined when the message is refused for it. */
  #cleaned(chunk: Buffer): Buffer | undefined {
    const { rejectCharacters, stripCharacters, replaceStrayCrLf } = this.#parts.settings;
    const line = rejectCharacters === undefined ? undefined : lineWith(chunk, rejectCharacters);
    if (line !== undefined) {
      const result = { kind: 'refuse', dsn: '5.7.1', text: 'disallowed character' } as const;
      this.#logCheck({ result, word: 'reject', text: '' }, 'content', line);
      this.#refusal = refuse(550, result.dsn, result.text);
      return undefined;
    }
    const stripped = stripCharacters === undefined ? chunk : without(chunk, stripCharacters);
    return replaceStrayCrLf ? this.#withoutStrayBreaks(stripped) : stripped;
  }

  get #scansBody(): boolean {
    return this.#checksContent && !this.#parts.settings.bodyChecks.isEmpty;
  }

  /** A CR without LF becomes a blank. cleanup_replace_stray_cr_lf */
  #withoutStrayBreaks(chunk: Buffer): Buffer {
    let out: Buffer | undefined;
    for (let at = chunk.indexOf(0x0d); at >= 0; at = chunk.indexOf(0x0d, at + 1)) {
      if (at + 1 === chunk.length || chunk[at + 1] === 0x0a) continue;
      out ??= Buffer.from(chunk);
      out[at] = 0x20;
    }
    return out ?? chunk;
  }

  async #take(chunk: Buffer): Promise<void> {
    if (this.#refusal !== undefined) return;
    if (this.#header === undefined) {
      await this.#takeBody(chunk);
      return;
    }
    this.#header.push(chunk);
    this.#headerBytes += chunk.length;
    const whole = this.#header.length === 1 ? chunk : Buffer.concat(this.#header);
    if (this.#header.length > 1) this.#header = [whole];
    const startsEmpty = whole.length >= 2 && whole[0] === 0x0d && whole[1] === 0x0a;
    const end = startsEmpty ? 0 : whole.indexOf(headerEnd);
    if (end < 0 && whole.length <= this.#parts.settings.headerSizeLimit + 65_536) return;
    const cut = startsEmpty ? 2 : end < 0 ? whole.length : end + 4;
    await this.#finishHeader(whole.subarray(0, cut), whole.subarray(cut));
  }

  /** The header section is complete: checks, rewriting, missing fields; then the body begins. */
  async #finishHeader(section: Buffer, body: Buffer): Promise<void> {
    this.#header = undefined;
    const { settings, maps, events } = this.#parts;
    const isUtf8 = Buffer.from(section.toString('utf8')).equals(section);
    const encoding = isUtf8 ? 'utf8' : 'latin1';
    const { fields, rest, hasEnd } = splitHeader(section.toString(encoding), settings.headerSizeLimit);
    const context = this.#options.envelope.rewriteContext;
    const rewrites = context === 'local' || settings.remoteRewriteDomain !== '';
    const present = new Set<string>();
    const lines: string[] = [];
    let hops = 0;
    let resentId = '';
    for (const field of fields) {
      const name = field.name.toLowerCase();
      const checked = await this.#checkHeader(field.name, field.text);
      if (this.#refusal !== undefined) return;
      lines.push(...checked.before);
      if (checked.text === undefined) continue;
      present.add(name);
      if (name === 'received') hops += 1;
      const id = /^[^:]*:\s*(<[^]*>|\S+)/.exec(field.text)?.[1] ?? '';
      if (name === 'message-id') this.#messageId ||= id;
      if (name === 'resent-message-id') resentId ||= id;
      if (settings.dropHeaders.has(name)) continue;
      const kept = { name: field.name, text: checked.text };
      lines.push((rewrites ? await rewriteField(kept, context, maps) : kept).text);
    }
    const adds = context === 'local' || settings.alwaysAddMissing;
    const missing = adds
      ? missingFields({
          present,
          envelope: this.#options.envelope,
          sender: this.#sender,
          queueId: this.queueId,
          settings,
        })
      : { lines: [], messageId: '' };
    lines.push(...missing.lines);
    if (
      this.#messageId === '' &&
      missing.messageId !== '' &&
      resentId === '' &&
      ![...present].some((name) => name.startsWith('resent-'))
    )
      this.#messageId = missing.messageId;
    else if (missing.messageId !== '') resentId = missing.messageId;
    if (resentId !== '') events.emit({ kind: 'messageId', queueId: this.queueId, messageId: resentId, isResent: true });
    else events.emit({ kind: 'messageId', queueId: this.queueId, messageId: this.#messageId, isResent: false });
    if (hops + 1 > settings.hopcountLimit) {
      events.emit({ kind: 'warning', text: `${this.queueId}: message rejected: hopcount exceeded` });
      this.#refusal = refuse(554, '5.4.0', 'Error: too many hops');
      return;
    }
    const { prepend } = this.#options;
    const top = typeof prepend === 'function' ? prepend() : prepend;
    const added = this.#prepended.map((line) => `${line}\r\n`).join('');
    const header = Buffer.concat([
      Buffer.from(added),
      top,
      Buffer.from(lines.map((line) => `${line}\r\n`).join(''), encoding),
    ]);
    this.#headerBytes = header.length;
    const remainder = rest === '' ? body : Buffer.concat([Buffer.from(rest, encoding), body]);
    // a message that ends with its header section has no empty line behind it
    const wait = this.#store(hasEnd || remainder.length > 0 ? Buffer.concat([header, crlf]) : header);
    if (wait !== undefined) await wait;
    if (remainder.length > 0) await this.#takeBody(remainder);
  }

  async #checkHeader(
    name: string,
    text: string,
  ): Promise<{ readonly before: readonly string[]; readonly text: string | undefined }> {
    const { settings } = this.#parts;
    const isMime = isMimeField(name) && !settings.mimeHeaderChecks.isEmpty;
    const tables = isMime ? settings.mimeHeaderChecks : settings.headerChecks;
    if (tables.isEmpty || !this.#checksContent) return { before: [], text };
    const logical = text.replaceAll('\r\n', '\n');
    const outcome = await checkLine(tables, isMime ? 'mime_header_checks' : 'header_checks', logical, (warning) =>
      this.#warn(warning),
    );
    return this.#applyCheck(outcome, 'header', logical, text);
  }

  #warn(text: string): void {
    this.#parts.events.emit({ kind: 'warning', text });
  }

  #applyCheck(
    outcome: CheckOutcome | undefined,
    part: string,
    shown: string,
    text: string,
  ): { readonly before: readonly string[]; readonly text: string | undefined } {
    if (outcome === undefined) return { before: [], text };
    if (outcome.word !== '') this.#logCheck(outcome, part, shown);
    if (outcome.action !== undefined) this.apply(outcome.action);
    const { result } = outcome;
    switch (result.kind) {
      case 'keep':
        return { before: [], text };
      case 'pass':
        this.#checksOff = true;
        return { before: [], text };
      case 'drop':
        return { before: [], text: undefined };
      case 'replace':
        return { before: [], text: result.text };
      case 'before':
        return { before: [result.text], text };
      case 'refuse': {
        const isTemporary = result.dsn.startsWith('4');
        this.#refusal = refuse(isTemporary ? 451 : 550, result.dsn, result.text);
        return { before: [], text };
      }
    }
  }

  #logCheck(outcome: CheckOutcome, part: string, line: string): void {
    const { logClient, sender } = this.#options.envelope;
    this.#parts.events.emit({
      kind: 'contentCheck',
      queueId: this.queueId,
      word: outcome.word,
      part,
      line,
      origin: logClient.address === '' ? 'local' : `${logClient.name}[${logClient.address}]`,
      sender,
      recipient: this.#firstRecipient,
      protocol: logClient.protocol,
      helo: logClient.heloName,
      text: outcome.result.kind === 'refuse' ? `${outcome.result.dsn} ${outcome.result.text}` : outcome.text,
    });
  }

  /** Body content: passed through, or line by line where body_checks look at it. */
  async #takeBody(chunk: Buffer): Promise<void> {
    const { settings } = this.#parts;
    if (!this.#scansBody || this.#bodyChecked >= settings.bodyChecksSizeLimit) {
      const wait = this.#store(this.#bodyRest.length === 0 ? chunk : Buffer.concat([this.#bodyRest, chunk]));
      this.#bodyRest = Buffer.alloc(0);
      if (wait !== undefined) await wait;
      return;
    }
    let rest = this.#bodyRest.length === 0 ? chunk : Buffer.concat([this.#bodyRest, chunk]);
    for (let end = rest.indexOf(crlf); end >= 0; end = rest.indexOf(crlf)) {
      await this.#takeBodyLine(rest.subarray(0, end));
      if (this.#refusal !== undefined) return;
      rest = rest.subarray(end + 2);
      if (this.#bodyChecked >= settings.bodyChecksSizeLimit) {
        this.#bodyRest = Buffer.alloc(0);
        return this.#takeBody(rest);
      }
    }
    this.#bodyRest = rest;
  }

  async #takeBodyLine(line: Buffer): Promise<void> {
    const { settings } = this.#parts;
    this.#bodyChecked += line.length + 2;
    let out: readonly Buffer[] = [line, crlf];
    if (line.length > 0 && this.#checksContent) {
      const text = line.toString('utf8');
      const outcome = await checkLine(settings.bodyChecks, 'body_checks', text, (warning) => this.#warn(warning));
      const applied = this.#applyCheck(outcome, 'body', text, text);
      const before = applied.before.map((added) => Buffer.from(`${added}\r\n`));
      const kept =
        applied.text === undefined ? [] : applied.text === text ? [line, crlf] : [Buffer.from(`${applied.text}\r\n`)];
      out = [...before, ...kept];
    }
    for (const piece of out) {
      const wait = this.#store(piece);
      if (wait !== undefined) await wait;
    }
  }

  /** Counts and hands on to the store. */
  #store(content: Buffer): void | Promise<void> {
    const { settings, events } = this.#parts;
    this.#sizeBytes += content.length;
    if (settings.messageSizeLimit > 0 && this.#sizeBytes > settings.messageSizeLimit) {
      if (this.#refusal === undefined) {
        events.emit({ kind: 'warning', text: `${this.queueId}: queue file size limit exceeded` });
        this.#refusal = refuse(552, '5.3.4', 'Error: message file too big');
      }
      return undefined;
    }
    return this.#writer.write(content);
  }

  async end(): Promise<SubmissionResult> {
    this.#do(() => this.#finishContent());
    await this.#turn;
    this.#do(() => this.#addExtraRecipients());
    await this.#turn;
    const { events } = this.#parts;
    if (this.#refusal === undefined && this.#recipients.length === 0 && !this.#isDiscarded)
      this.#refusal = refuse(550, '5.1.0', 'no recipients specified');
    if (this.#refusal !== undefined || this.#isDiscarded) {
      this.#writer.abort();
      if (this.#isDiscarded && this.#refusal === undefined) {
        events.emit({ kind: 'canceled', queueId: this.queueId, how: 'discarded' });
        return { kind: 'queued', queueId: this.queueId };
      }
      if (this.#options.source === 'smtpd') events.emit({ kind: 'canceled', queueId: this.queueId, how: 'canceled' });
      return this.#refusal ?? refuse(451, '4.3.0', 'Error: internal protocol error');
    }
    return this.#commit();
  }

  async #finishContent(): Promise<void> {
    if (this.#header !== undefined) {
      const whole = Buffer.concat(this.#header);
      await this.#finishHeader(whole, Buffer.alloc(0));
    }
    if (this.#bodyRest.length > 0) {
      const rest = this.#bodyRest;
      this.#bodyRest = Buffer.alloc(0);
      const wait = this.#store(rest);
      if (wait !== undefined) await wait;
    }
  }

  /** REDIRECT, always_bcc and all BCC actions; none of them is reported on. */
  async #addExtraRecipients(): Promise<void> {
    const { settings } = this.#parts;
    const quiet = (address: string): SubmittedRecipient => ({
      address,
      original: '',
      dsnOriginal: '',
      notify: ['never'],
    });
    if (this.#recipients.length > 0 && this.#addsCopies && settings.alwaysBcc !== '')
      this.#bcc.push(settings.alwaysBcc);
    for (const address of this.#bcc) await this.#expand(quiet(address), true);
    if (this.#redirect === undefined) return;
    // all copies become one, which remembers the first recipient, in the order the queue manager has them
    const first = this.#recipients.toSorted((a, b) => (a.address.toLowerCase() < b.address.toLowerCase() ? -1 : 1))[0];
    const original = first?.original ?? '';
    this.#recipients.length = 0;
    this.#seen.clear();
    await this.#expand({ address: this.#redirect, original, dsnOriginal: '', notify: [] }, true);
  }

  async #commit(): Promise<SubmissionResult> {
    const { events } = this.#parts;
    try {
      await this.#writer.commit({
        envelope: {
          ...this.#options.envelope,
          sender: this.#sender,
          contentFilter: this.#contentFilter,
          messageId: this.#messageId,
        },
        recipients: this.#recipients,
        queue: this.#isHeld ? 'hold' : 'incoming',
        headerBytes: this.#headerBytes,
        sizeBytes: this.#sizeBytes,
      });
      return { kind: 'queued', queueId: this.queueId };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      events.emit({ kind: 'warning', text: `${this.queueId}: queue file write error: ${text}` });
      if (error instanceof StoreFullError) return refuse(452, '4.3.1', 'Error: insufficient system storage');
      return refuse(451, '4.3.0', 'Error: queue file write error');
    }
  }

  abort(): void {
    this.#refusal ??= refuse(451, '4.3.0', 'Error: aborted');
    this.#writer.abort();
    this.#parts.events.emit({ kind: 'canceled', queueId: this.queueId, how: 'canceled' });
  }
}
