/**
 * One SMTP session: reads commands, answers them, feeds content into the queue. RFC 5321; smtpd(8)
 *
 * A session is greeted, then loops over commands until one ends it; DATA and BDAT hand the input to the content loop and
 * back. Replies gather while further commands wait, and leave in one write (RFC 2920, 3.2).
 */
import type { Duplex } from 'node:stream';
import type { EventChannel } from '#events';
import type { MaybePromise, Submission, SubmissionPort, SubmissionResult } from '#message';
import type { HostLookup } from '#dns';
import type { Rewriter } from '#rewrite';
import { type BareNewlineMode, type CommandWord, type Framed, isHeaderName, peekedText, splitCommand } from '#smtp';
import { isListed, rewritesHeadersLocally } from './access-rights.ts';
import { type Anvil, anvilClient } from './anvil.ts';
import { lookUpNames, withNames } from './client-lookup.ts';
import { type CommandResult, type ContentOrder, isErrorResult, replyOf } from './command-result.ts';
import { type Arguments, findVerb, unknownVerb, type Verb } from './commands/index.ts';
import type { Override } from './commands/xclient.ts';
import { writeContent } from './content.ts';
import { CommandCounters } from './counters.ts';
import { attributesOf, envelopeOf } from './envelope.ts';
import type { PolicyChecks, PolicyMemory, SessionFacts, Stage, Verdict } from './policy.ts';
import { receivedField } from './received.ts';
import { ReplyWriter } from './reply-writer.ts';
import { SessionInput } from './session-input.ts';
import { type ClientFacts, clientText, type NewTransaction, type Transaction } from './session-state.ts';
import type { SmtpdSettings } from './settings.ts';

export interface SessionOptions {
  readonly settings: SmtpdSettings;
  readonly policy: PolicyChecks;
  readonly submission: SubmissionPort;
  readonly rewriter: Pick<Rewriter, 'rewrite' | 'resolve' | 'ownAddresses'>;
  readonly hostLookup: HostLookup;
  readonly events: EventChannel;
  readonly anvil: Anvil;
  /** ms since the epoch. */
  readonly now: () => number;
  /** Free space where the queue is. */
  readonly freeBytes: () => MaybePromise<number>;
  /** ETRN: starts deliveries to a domain; false when it is not one of ours. */
  readonly flushSite: (domain: string) => Promise<boolean>;
  /** The sender of our address probes without its time-dependent part, when `address` is that one. */
  readonly probeSender?: (address: string) => string | undefined;
  /** `sendmail -bs`: no network client, no connection limits. */
  readonly isStandAlone: boolean;
}

/** Where the session is: `over` once nothing more is to be said. */
type Phase = 'greeting' | 'commands' | 'over';

export class Session {
  readonly options: SessionOptions;
  readonly settings: SmtpdSettings;
  readonly #stream: Duplex;
  readonly #input: SessionInput;
  readonly #replies: ReplyWriter;
  readonly #counters = new CommandCounters();
  readonly #anvilClient: string;
  client: ClientFacts;
  /** `name[address]`, as logged. */
  clientText: string;
  /** What content filters and the log hear of the client after XFORWARD. */
  logClient: ClientFacts | undefined;
  forwardedQueueId = '';
  forwardedLocally = false;
  helo: string | undefined;
  protocol = 'SMTP';
  saslUsername = '';
  transaction: Transaction | undefined;
  /** BDAT: chunks were taken, or one was refused and the others have to be, too. */
  chunks: 'none' | 'taken' | 'refused' = 'none';
  /** Who may use XCLIENT and XFORWARD is settled by the real client; what is announced, by the present one. */
  canXclient = false;
  canXforward = false;
  announced = { xclient: false, xforward: false, xverp: false };
  /** EHLO keywords that are not announced, lower case. */
  discarded: ReadonlySet<string>;
  #phase: Phase = 'greeting';
  #where = 'CONNECT';
  #errors = 0;
  #junk = 0;
  #accessDenied = false;
  #sawPipelining = false;
  #sawBareLf = false;
  #bareNewline: BareNewlineMode = 'normalize';
  #isDraining = false;
  #transactionCount = 0;
  #rewritesLocally = false;
  #policyMemory: PolicyMemory = {};

  constructor(stream: Duplex, client: ClientFacts, options: SessionOptions) {
    const { settings } = options;
    this.#stream = stream;
    this.options = options;
    this.settings = settings;
    this.#anvilClient = anvilClient(settings.service, client.address, settings.clientPrefixes);
    this.client = client;
    this.clientText = '';
    this.discarded = settings.discardedKeywords;
    this.#input = new SessionInput(stream, { ...settings, now: options.now });
    this.#replies = new ReplyWriter(stream, settings, options.events, () => ({
      client: this.client,
      helo: this.helo,
      sender: this.transaction?.sender,
      recipient: this.transaction?.recipients[0]?.address,
      myhostname: settings.myhostname,
      at: options.now(),
      queueId: this.#queueId,
    }));
  }

  /** Ends at the next command outside of a transaction, with 421. */
  drain(): void {
    this.#isDraining = true;
    this.#input.wake();
  }

  /** Runs the session to its end; never rejects. */
  async run(): Promise<void> {
    const { events, anvil } = this.options;
    const counted = this.options.isStandAlone ? undefined : anvil.connect(this.#anvilClient);
    try {
      await this.#lookUpClient();
      events.emit({ kind: 'connected', client: this.clientText });
      await this.#greet(counted);
      while (this.#phase === 'commands') await this.#nextCommand();
    } catch (error) {
      const stack = error instanceof Error ? (error.stack ?? '') : '';
      events.emit({ kind: 'panic', text: error instanceof Error ? error.message : String(error), stack });
      await this.#end(replyOf(`421 4.3.0 ${this.settings.myhostname} Server local error`));
    }
    this.resetTransaction();
    if (counted !== undefined) anvil.disconnect(this.#anvilClient);
    const notes = this.#sawBareLf ? ['bare_lf'] : [];
    events.emit({ kind: 'disconnected', client: this.clientText, counters: this.#counters.render(notes) });
    this.#input.close();
    this.#hangUp();
  }

  /** Once the last reply is with the kernel nothing is read any more: clients that don't wait for it reset the connection. */
  #hangUp(): void {
    if (this.#stream.destroyed) return;
    if (this.#stream.writableLength === 0 && !this.options.isStandAlone) this.#stream.destroy();
    else this.#stream.end();
  }

  get #queueId(): string {
    return this.transaction?.submission?.queueId ?? '';
  }

  // Greeting

  async #lookUpClient(): Promise<void> {
    const { settings, options } = this;
    if (settings.peernameLookup && this.client.nameStatus !== 'ok' && this.client.address !== '') {
      const warn = (text: string): void => options.events.emit({ kind: 'warning', text });
      this.client = withNames(this.client, await lookUpNames(this.client.address, options.hostLookup, warn));
    }
    this.canXclient = await isListed(settings.xclientHosts, this.client);
    this.canXforward = await isListed(settings.xforwardHosts, this.client);
    await this.#settleClient();
  }

  /** Works out what follows from who the client is. */
  async #settleClient(): Promise<void> {
    const { settings, client } = this;
    const port = settings.clientPortLogging ? `:${client.port}` : '';
    this.clientText = `${clientText(client)}${port}`;
    this.announced = {
      xclient: await isListed(settings.xclientHosts, client),
      xforward: await isListed(settings.xforwardHosts, client),
      xverp: await isListed(settings.verpClients, client),
    };
    const isExcluded = await isListed(settings.bareNewlineExclusions, client);
    this.#bareNewline = isExcluded ? 'no' : settings.forbidBareNewline;
    this.#rewritesLocally = await rewritesHeadersLocally(settings.localRewriteClients, {
      client,
      saslUsername: this.saslUsername,
      ownAddresses: this.options.rewriter.ownAddresses,
    });
  }

  /** The banner, or a refusal; also after XCLIENT. */
  async #greet(counted: { readonly sessions: number; readonly rate: number } | undefined): Promise<void> {
    const { settings } = this;
    this.#phase = 'commands';
    const tooMany = counted === undefined ? undefined : await this.#connectionRefusal(counted);
    if (tooMany !== undefined) return this.#end(tooMany);
    if (this.#isPipelined('CONNECT')) return this.#endOutOfStep();
    const verdict = settings.delayReject ? undefined : await this.check('connect');
    if (verdict?.kind === 'reject') {
      this.#accessDenied = true;
      await this.#answer(replyOf(verdict.reply, verdict.hangsUp));
    } else this.#replies.sayPlain(220, [settings.banner]);
    this.#replies.flush();
  }

  async #connectionRefusal(counted: {
    readonly sessions: number;
    readonly rate: number;
  }): Promise<CommandResult | undefined> {
    const { settings } = this;
    const isOver = (value: number, limit: number): boolean => limit > 0 && value > limit;
    const isCrowded = isOver(counted.sessions, settings.clientConnectionLimit);
    if (!isCrowded && !isOver(counted.rate, settings.clientConnectionRateLimit)) return undefined;
    if (await isListed(settings.eventLimitExceptions, this.client)) return undefined;
    if (isCrowded) this.#warnOfLimit('Connection concurrency', counted.sessions);
    else this.#warnOfLimit('Connection rate', counted.rate);
    return replyOf(`421 4.7.0 ${settings.myhostname} Error: too many connections from ${this.client.address}`);
  }

  #warnOfLimit(what: string, count: number): void {
    const text = `${what} limit exceeded: ${count} from ${this.clientText} for service ${this.settings.service}`;
    this.options.events.emit({ kind: 'warning', text });
  }

  /** Counts a message or recipient; the reply when there are too many of them. */
  async rateRefusal(kind: 'message' | 'recipient'): Promise<CommandResult | undefined> {
    const { settings, options } = this;
    const limit = kind === 'message' ? settings.clientMessageRateLimit : settings.clientRecipientRateLimit;
    if (limit === 0 || options.isStandAlone || (await isListed(settings.eventLimitExceptions, this.client)))
      return undefined;
    const count = options.anvil.count(this.#anvilClient, kind);
    if (count <= limit) return undefined;
    this.#warnOfLimit(kind === 'message' ? 'Message delivery request rate' : 'Recipient address rate', count);
    const what = kind === 'message' ? 'too much mail' : 'too many recipients';
    return replyOf(`450 4.7.1 Error: ${what} from ${this.client.address}`);
  }

  // Commands

  async #nextCommand(): Promise<void> {
    const { settings } = this;
    if (this.#errors >= settings.hardErrorLimit) {
      this.#logLost('too many errors');
      return this.#end(replyOf(`421 4.7.0 ${settings.myhostname} Error: too many errors`));
    }
    if (this.#isDraining && this.transaction === undefined) {
      return this.#end(replyOf(`421 4.3.2 ${settings.myhostname} Service shutting down`));
    }
    this.#input.beginRequest();
    const piece = await this.#nextPiece();
    if (piece?.kind === 'line') return this.#onLine(piece.text.toString('utf8'), piece.text, piece.hasBareLf);
    if (piece?.kind === 'longLine') return this.#onLongLine(piece.text);
  }

  async #onLongLine(text: Buffer): Promise<void> {
    const { settings } = this;
    this.options.events.emit({
      kind: 'warning',
      text: `${this.clientText}: request longer than ${settings.lineLengthLimit}: ${text.toString('utf8', 0, 30)}...`,
    });
    await this.#answer(replyOf(`500 5.5.2 ${settings.myhostname} Error: command too long`));
  }

  /** The next piece of input; undefined when the session is over, or was woken to look around. */
  async #nextPiece(): Promise<Framed | undefined> {
    for (;;) {
      const piece = this.#input.reader.next();
      if (piece !== undefined) return piece;
      this.#replies.flush();
      switch (await this.#input.wait()) {
        case 'input':
          break;
        case 'woken':
          return undefined;
        case 'closed':
          this.#logLost('lost connection');
          this.#phase = 'over';
          return undefined;
        case 'timeout':
          this.#logLost('timeout');
          await this.#end(replyOf(`421 4.4.2 ${this.settings.myhostname} Error: timeout exceeded`));
          return undefined;
      }
    }
  }

  async #onLine(received: string, bytes: Buffer, hasBareLf: boolean): Promise<void> {
    const { settings } = this;
    if (hasBareLf && this.#bareNewline !== 'no') {
      this.#sawBareLf = true;
      if (this.#bareNewline === 'reject') return this.#refuseBareNewline(true);
    }
    const line = settings.commandFilter.isEmpty ? received : await this.#filtered(received);
    if (settings.smtputf8 && line.includes('\uFFFD') && !bytes.includes('\uFFFD')) {
      return this.#answer(replyOf('500 5.5.2 Error: bad UTF-8 syntax'));
    }
    const words = splitCommand(line);
    const name = words[0]?.text;
    if (name === undefined) return this.#answer(replyOf('500 5.5.2 Error: bad syntax'));
    if (!settings.noopCommands.isEmpty && (await isWord(settings.noopCommands, name))) {
      this.#countJunk();
      return this.#answer(replyOf('250 2.0.0 Ok'));
    }
    const verb = findVerb(name) ?? unknownVerb;
    this.#counters.begin(verb.name.toLowerCase());
    if (verb === unknownVerb) {
      this.#where = 'UNKNOWN';
      if (isHeaderName(name) || (await isWord(settings.forbiddenCommands, name))) return this.#endForeign(line);
    }
    if (this.#accessDenied && verb.name !== 'QUIT') {
      return this.#answer(replyOf(`503 5.7.0 Error: access denied for ${this.clientText}`));
    }
    this.#where = verb.name;
    if ((this.protocol !== 'ESMTP' || verb.endsGroup) && this.#isPipelined(verb.name)) return this.#endOutOfStep();
    await this.#run(verb, words, line);
  }

  async #filtered(line: string): Promise<string> {
    const found = await this.settings.commandFilter.lookup(line);
    if (found.kind === 'found') return found.value;
    if (found.kind === 'failed') {
      this.options.events.emit({ kind: 'warning', text: `${found.table.name}: smtpd_command_filter: ${found.reason}` });
    }
    return line;
  }

  async #run(verb: Verb, words: readonly CommandWord[], line: string): Promise<void> {
    const args: Arguments = { words, rest: line.trimStart().slice(verb.name.length).trim() };
    const ran = verb.run(this, args);
    const first = ran instanceof Promise ? await ran : ran;
    if (verb.isJunk) this.#countJunk();
    if (first.restarts === true) return this.#greet(undefined);
    const result = first.content === undefined ? first : await this.#receive(first, first.content);
    if (result === undefined) return;
    if (!isErrorResult(result)) this.#counters.succeed(verb.name.toLowerCase());
    await this.#answer(result);
  }

  #countJunk(): void {
    if (this.#junk > this.settings.junkCommandLimit) this.#errors += 1;
    this.#junk += 1;
  }

  /** Input that came before the reply it had to wait for. True: the session has to end. RFC 2920, 3.1 */
  #isPipelined(after: string): boolean {
    const waiting = this.#input.reader.waitingBytes;
    if (waiting.length === 0 || this.#sawPipelining || this.options.isStandAlone) return false;
    this.#sawPipelining = true;
    this.options.events.emit({ kind: 'pipelining', client: this.clientText, after, text: peekedText(waiting) });
    return this.settings.forbidPipelining;
  }

  // Content

  /** DATA or BDAT: content into the queue. The reply; undefined when the session is over. */
  async #receive(result: CommandResult, order: ContentOrder): Promise<CommandResult | undefined> {
    const { transaction } = this;
    const submission = transaction?.submission;
    const refusal = order.kind === 'chunk' ? order.refusal : undefined;
    const sink =
      refusal === undefined && transaction !== undefined && submission !== undefined
        ? { transaction, submission }
        : undefined;
    if (order.kind === 'data') {
      this.#replies.sayPlain(result.code, result.lines);
      this.#replies.flush();
      this.#input.beginRequest();
      this.#input.reader.beginData(this.#bareNewline);
    } else this.#input.reader.beginChunk(order.sizeBytes);
    if (!(await this.#takeContent(sink))) return undefined;
    if (order.kind === 'data') return this.#afterData(sink);
    return this.#afterChunk(result, order, sink);
  }

  async #afterData(sink: ContentSink | undefined): Promise<CommandResult | undefined> {
    const { reader } = this.#input;
    if (reader.sawBareLf && this.#bareNewline !== 'no') this.#sawBareLf = true;
    this.#where = 'END-OF-MESSAGE';
    if (reader.sawBareLf && this.#bareNewline === 'reject') {
      await this.#refuseBareNewline(false);
      this.resetTransaction();
      return undefined;
    }
    return sink === undefined ? replyOf('451 4.3.0 Error: queue file write error') : this.#finish(sink, false);
  }

  async #afterChunk(
    result: CommandResult,
    { isLast, refusal }: ContentOrder & { readonly kind: 'chunk' },
    sink: ContentSink | undefined,
  ): Promise<CommandResult> {
    this.chunks = refusal === undefined ? 'taken' : 'refused';
    if (isLast) {
      const rest = this.#input.reader.endChunks();
      if (sink !== undefined) await this.#write(sink, rest);
      this.#where = 'END-OF-MESSAGE';
    }
    if (refusal !== undefined || sink === undefined) {
      if (isLast) this.resetTransaction();
      return refusal ?? replyOf('451 4.3.0 Error: queue file write error');
    }
    return isLast ? this.#finish(sink, true) : result;
  }

  /** Reads content up to its end. False: the client went away. */
  async #takeContent(sink: ContentSink | undefined): Promise<boolean> {
    for (;;) {
      let piece = this.#input.reader.next();
      if (piece === undefined) {
        piece = await this.#nextPiece();
        if (this.#phase === 'over') return false;
        if (piece === undefined) continue;
      }
      if (piece.kind !== 'content') return true;
      if (sink === undefined) continue;
      const wait = this.#write(sink, piece.bytes);
      if (wait instanceof Promise) {
        this.#input.pause();
        await wait;
        this.#input.resume();
      }
    }
  }

  #write({ transaction, submission }: ContentSink, bytes: Buffer): MaybePromise<void> {
    return writeContent(transaction, submission, bytes, {
      messageSizeLimit: this.settings.messageSizeLimit,
      onTooLarge: () =>
        this.options.events.emit({ kind: 'warning', text: `${submission.queueId}: queue file size limit exceeded` }),
    });
  }

  /** End of data: the size, the last restrictions, the commit; then the transaction is over. */
  async #finish({ transaction, submission }: ContentSink, isChunked: boolean): Promise<CommandResult> {
    const refusal = await this.#refusalOfMessage(transaction);
    if (refusal !== undefined) {
      this.resetTransaction();
      return refusal;
    }
    const outcome = await submission.end();
    transaction.submission = undefined;
    this.resetTransaction();
    if (outcome.kind === 'refused') return replyOf(`${outcome.code} ${outcome.dsn} ${outcome.text}`);
    this.#errors = 0;
    this.#junk = 0;
    return queuedReply(outcome, isChunked ? transaction.contentBytes : undefined);
  }

  async #refusalOfMessage({ isTooLarge }: Transaction): Promise<CommandResult | undefined> {
    if (isTooLarge) return replyOf('552 5.3.4 Error: message file too big');
    const verdict = await this.check('endOfData');
    return verdict.kind === 'reject' ? replyOf(verdict.reply, verdict.hangsUp) : undefined;
  }

  // Answers and ends

  async #answer(result: CommandResult): Promise<void> {
    const { settings } = this;
    if (this.#errors >= settings.softErrorLimit && settings.errorSleepMs > 0) {
      this.#replies.flush();
      await new Promise((resolve) => setTimeout(resolve, settings.errorSleepMs));
    }
    let { code } = result;
    if (code < 400) this.#replies.sayPlain(code, result.lines);
    else code = await this.#replies.say(result);
    if (isErrorResult(result)) this.#errors += 1;
    if (result.closes !== true && code !== 421 && code !== 521) return;
    this.#phase = 'over';
    this.#replies.flush();
  }

  async #end(result: CommandResult): Promise<void> {
    await this.#replies.say(result);
    this.#replies.flush();
    this.#phase = 'over';
  }

  #endOutOfStep(): Promise<void> {
    return this.#end(replyOf('554 5.5.0 Error: SMTP protocol synchronization'));
  }

  /** HTTP and the like: told off and cut. smtpd_forbidden_commands */
  #endForeign(line: string): Promise<void> {
    const text = `non-SMTP command from ${this.clientText}: ${line.slice(0, 100)}`;
    this.options.events.emit({ kind: 'warning', text });
    return this.#end(replyOf('221 2.7.0 Error: I can break rules, too. Goodbye.'));
  }

  /** smtpd_forbid_bare_newline = reject */
  async #refuseBareNewline(isFinal: boolean): Promise<void> {
    const { bareNewlineRejectCode, myhostname } = this.settings;
    this.#logPolicy('bare <LF> received', this.transaction?.sender);
    await this.#answer(replyOf(`${bareNewlineRejectCode} 5.5.2 ${myhostname} Error: bare <LF> received`, isFinal));
  }

  #logPolicy(text: string, sender: string | undefined): void {
    this.options.events.emit({
      kind: 'policy',
      word: 'reject',
      text,
      client: this.clientText,
      where: this.#where,
      queueId: this.#queueId,
      sender,
      recipient: this.transaction?.recipients[0]?.address,
      protocol: this.protocol,
      helo: this.helo ?? '',
    });
  }

  /** Logs a refusal and gives its reply. */
  refuse(reply: string, { sender }: { readonly sender: string }): CommandResult {
    this.#logPolicy(reply, sender);
    return replyOf(reply);
  }

  #logLost(how: 'lost connection' | 'timeout' | 'too many errors'): void {
    if (this.#where === 'END-OF-MESSAGE' && how === 'lost connection') return;
    const isContent = this.#where === 'DATA' && this.transaction?.submission !== undefined;
    const bytes = (this.transaction?.contentBytes ?? 0) + this.#input.reader.waitingBytes.length;
    const after = isContent || this.#where === 'BDAT' ? `${this.#where} (${bytes} bytes)` : this.#where;
    this.options.events.emit({ kind: 'lost', queueId: this.#queueId, client: this.clientText, after, how });
  }

  // What commands work on

  /** EHLO keywords that this client is not told. smtpd_discard_ehlo_keyword_address_maps */
  async findDiscardedKeywords(): Promise<ReadonlySet<string>> {
    const { settings, options } = this;
    const { discardedKeywordMaps } = settings;
    if (discardedKeywordMaps.isEmpty) return this.discarded;
    const found = await discardedKeywordMaps.lookup(this.client.address);
    if (found.kind === 'failed') {
      options.events.emit({
        kind: 'warning',
        text: `${found.table.name}: ${found.key}: lookup error: ${found.reason}`,
      });
    }
    const words =
      found.kind === 'found'
        ? found.value
            .toLowerCase()
            .split(/[\s,]+/)
            .filter((word) => word !== '')
        : undefined;
    this.discarded = words === undefined ? settings.discardedKeywords : new Set(words);
    return this.discarded;
  }

  /** Asks the restrictions; what they want done with the message is done, or remembered until it can be. */
  async check(
    stage: Stage,
    change: Partial<Pick<SessionFacts, 'helo' | 'recipient' | 'protocol'>> = {},
  ): Promise<Verdict> {
    const { transaction } = this;
    const answer = this.options.policy.check(stage, {
      command: this.#where,
      clientText: this.clientText,
      memory: this.#policyMemory,
      isDiscarded: transaction?.isDiscarded ?? false,
      client: this.client,
      helo: this.helo,
      protocol: this.protocol,
      sender: transaction?.sender,
      recipient: transaction?.recipients.length === 1 ? transaction.recipients[0]?.address : undefined,
      recipientCount: transaction?.recipients.length ?? 0,
      queueId: this.#queueId,
      sizeBytes: stage === 'endOfData' ? (transaction?.contentBytes ?? 0) : (transaction?.declaredSize ?? 0),
      saslUsername: this.saslUsername,
      hasPipelinedInput: this.#sawPipelining,
      instance: transaction?.instance ?? '',
      ...change,
    });
    const verdict = answer instanceof Promise ? await answer : answer;
    if (verdict.kind === 'accept' && transaction !== undefined) {
      for (const action of verdict.actions) {
        if (action.kind === 'discard') transaction.isDiscarded = true;
        if (transaction.submission === undefined) transaction.waitingActions.push(action);
        else transaction.submission.apply(action);
      }
    }
    return verdict;
  }

  beginTransaction(start: NewTransaction): void {
    this.#transactionCount += 1;
    const { now } = this.options;
    this.transaction = {
      ...start,
      recipients: [],
      submission: undefined,
      contentBytes: 0,
      isTooLarge: false,
      isDiscarded: false,
      tooManyRecipients: 0,
      waitingActions: [],
      instance: `${process.pid.toString(16)}.${Math.floor(now() / 1000).toString(16)}.${this.client.port}.${this.#transactionCount}`,
    };
  }

  /** The queue entry: opened at the first accepted recipient, when the log says whose it is. */
  openSubmission(transaction: Transaction): Submission {
    if (transaction.submission !== undefined) return transaction.submission;
    const { settings, options } = this;
    const submission = options.submission.open({
      envelope: envelopeOf(this, transaction, this.#rewritesLocally || this.forwardedLocally ? 'local' : 'remote'),
      source: 'smtpd',
      overrides: settings.overrides,
      prepend: () => this.#received(transaction, submission.queueId),
    });
    transaction.submission = submission;
    for (const action of transaction.waitingActions.splice(0)) submission.apply(action);
    options.events.emit({
      kind: 'client',
      queueId: submission.queueId,
      client: this.clientText,
      extra: this.#originText(),
    });
    return submission;
  }

  #originText(): string {
    const login = this.saslUsername === '' ? '' : `, sasl_method=XCLIENT, sasl_username=${this.saslUsername}`;
    const origin = this.forwardedQueueId === '' ? '' : `, orig_queue_id=${this.forwardedQueueId}`;
    return `${login}${origin}${this.logClient === undefined ? '' : `, orig_client=${clientText(this.logClient)}`}`;
  }

  #received(transaction: Transaction, queueId: string): Buffer {
    const { settings, protocol } = this;
    return receivedField({
      client: attributesOf(this.client, this.helo ?? '', protocol),
      protocol: transaction.smtputf8 ? `UTF8${protocol.replace(/^E/, '')}` : protocol,
      myhostname: settings.myhostname,
      mailName: settings.mailName,
      queueId,
      recipients: transaction.recipients,
      at: transaction.startedAt,
      hidesClient: settings.hidesClientSession,
    });
  }

  /** Ends a transaction; what was not committed is forgotten. */
  resetTransaction(): void {
    this.transaction?.submission?.abort();
    this.transaction = undefined;
    this.chunks = 'none';
  }

  /** XCLIENT: the session goes on as another client's. */
  async becomeClient({ client, helo, protocol, login }: Override): Promise<void> {
    this.resetTransaction();
    this.client = client;
    this.helo = helo === '' ? undefined : helo;
    this.protocol = protocol === undefined || protocol === '' ? 'SMTP' : protocol;
    if (login !== undefined) this.saslUsername = login;
    this.#policyMemory = {};
    this.#accessDenied = false;
    await this.#settleClient();
  }
}

interface ContentSink {
  readonly transaction: Transaction;
  readonly submission: Submission;
}

function queuedReply(
  { queueId }: SubmissionResult & { readonly kind: 'queued' },
  bytes: number | undefined,
): CommandResult {
  return replyOf(
    bytes === undefined ? `250 2.0.0 Ok: queued as ${queueId}` : `250 2.0.0 Ok: ${bytes} bytes queued as ${queueId}`,
  );
}

async function isWord(list: { matches(key: string): MaybePromise<unknown> }, name: string): Promise<boolean> {
  return (await list.matches(name)) === 'yes';
}
