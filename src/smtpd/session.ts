/**
 * One SMTP session: reads commands, answers them, feeds content into the queue. RFC 5321; smtpd(8)
 *
 * The session is a loop over framed input. Replies gather while further commands wait and leave in one write.
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { EventChannel } from '#events';
import type { SubmissionAction, SubmissionPort, SubmissionResult } from '#message';
import { type BareNewlineMode, CommandReader, formatReply, type Framed } from '#smtp';
import { type CommandResult, replyOf } from './command-result.ts';
import { CommandCounters } from './counters.ts';
import { type Conversation, runCommand } from './commands/index.ts';
import { lookUpNames, withNames } from './client-lookup.ts';
import type { PolicyChecks, SessionFacts, Stage, Verdict } from './policy.ts';
import { receivedField } from './received.ts';
import { type ClientFacts, clientText, type Transaction } from './session-state.ts';
import type { SmtpdSettings } from './settings.ts';
import type { HostLookup } from '#dns';

export interface SessionOptions {
  readonly settings: SmtpdSettings;
  readonly policy: PolicyChecks;
  readonly submission: SubmissionPort;
  readonly hostLookup: HostLookup;
  readonly events: EventChannel;
  readonly now: () => number;
  readonly freeBytes: () => Promise<number>;
  /** ETRN: starts deliveries to a domain; false when it is not one of ours. */
  readonly flushSite: (domain: string) => Promise<boolean>;
  /** Concurrent sessions of this client's address, this one included. */
  readonly sessionsOfClient: (address: string) => number;
}

const maxWaitingInput = 1 << 20;
const junkCommands = new Set(['noop', 'vrfy', 'etrn', 'rset', 'helo', 'ehlo', 'help']);

export class Session implements Conversation {
  readonly options: SessionOptions;
  readonly settings: SmtpdSettings;
  readonly #stream: Duplex;
  readonly #reader: CommandReader;
  readonly #counters = new CommandCounters();
  readonly realClient: ClientFacts;
  client: ClientFacts;
  /** Shown in the log and in content filters after XFORWARD. */
  logClient: ClientFacts | undefined;
  helo: string | undefined;
  protocol = 'SMTP';
  saslUsername = '';
  transaction: Transaction | undefined;
  canXclient = false;
  canXforward = false;
  #isLocalRewrite = false;
  #actions: SubmissionAction[] = [];
  #out = '';
  #wake: (() => void) | undefined;
  #isClosed = false;
  #isEnding = false;
  #timedOut = false;
  #errors = 0;
  #junk = 0;
  #lastVerb = 'CONNECT';
  #reject: string | undefined;
  #bareNewline: BareNewlineMode = 'normalize';
  #isDraining = false;

  constructor(stream: Duplex, client: ClientFacts, options: SessionOptions) {
    this.#stream = stream;
    this.options = options;
    this.settings = options.settings;
    this.#reader = new CommandReader(options.settings.lineLengthLimit);
    this.client = client;
    this.realClient = client;
    stream.on('data', (bytes: Buffer) => this.#onData(bytes));
    stream.on('end', () => this.#onClose());
    stream.on('close', () => this.#onClose());
    stream.on('error', () => this.#onClose());
  }

  #onData(bytes: Buffer): void {
    this.#reader.push(bytes);
    if (this.#reader.waitingBytes.length > maxWaitingInput) this.#stream.pause();
    this.#signal();
  }

  #onClose(): void {
    this.#isClosed = true;
    this.#signal();
  }

  #signal(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Ends after the current transaction, with 421. */
  drain(): void {
    this.#isDraining = true;
    this.#signal();
  }

  /** Runs the session to its end. */
  async run(): Promise<void> {
    const { events } = this.options;
    try {
      if (this.settings.peernameLookup && this.client.nameStatus !== 'ok' && this.client.address !== '') {
        const names = await lookUpNames(this.client.address, this.options.hostLookup, (text) =>
          events.emit({ kind: 'warning', text }),
        );
        this.client = withNames(this.client, names);
      }
      events.emit({ kind: 'connected', client: clientText(this.client) });
      await this.#converse();
    } catch (error) {
      const stack = error instanceof Error ? (error.stack ?? '') : '';
      events.emit({ kind: 'panic', text: error instanceof Error ? error.message : String(error), stack });
      this.#say(replyOf('421 4.3.0 Server local error'));
      this.#flush();
    }
    this.transaction?.submission?.abort();
    events.emit({ kind: 'disconnected', client: clientText(this.client), counters: this.#counters.render() });
    if (!this.#stream.destroyed) this.#stream.end();
  }

  async #converse(): Promise<void> {
    if (!(await this.#greet())) return;
    for (;;) {
      const piece = this.#reader.next();
      if (piece === undefined) {
        this.#flush();
        if (!(await this.#waitForInput())) return;
        continue;
      }
      if (!(await this.#onLine(piece))) return;
    }
  }

  /** The banner, or a refusal of the connection. False: the session is over. */
  async #greet(): Promise<boolean> {
    const { settings, options } = this;
    const { client } = this;
    const isExempt = (await settings.eventLimitExceptions.matches(client.name, client.address)) === 'yes';
    const count = options.sessionsOfClient(client.address);
    if (!isExempt && settings.clientConnectionLimit > 0 && count > settings.clientConnectionLimit) {
      options.events.emit({
        kind: 'warning',
        text: `Connection concurrency limit exceeded: ${count} from ${clientText(client)} for service ${settings.service}`,
      });
      this.#say(replyOf(`421 4.7.0 ${settings.myhostname} Error: too many connections from ${client.address}`));
      this.#flush();
      return false;
    }
    await this.#updateRights();
    const verdict = settings.delayReject ? undefined : await this.check('connect');
    if (verdict?.kind === 'reject') {
      this.#reject = verdict.reply;
      this.#say(replyOf(verdict.reply));
    } else this.#say(replyOf(`220 ${settings.banner}`));
    this.#flush();
    return true;
  }

  /** What this client may do beyond plain SMTP. */
  async #updateRights(): Promise<void> {
    const { settings, client, realClient } = this;
    this.canXclient = (await settings.xclientHosts.matches(realClient.name, realClient.address)) === 'yes';
    this.canXforward = (await settings.xforwardHosts.matches(client.name, client.address)) === 'yes';
    const excluded = (await settings.bareNewlineExclusions.matches(client.name, client.address)) === 'yes';
    this.#bareNewline = excluded ? 'no' : settings.forbidBareNewline;
    this.#isLocalRewrite = await this.#rewritesLocally();
  }

  /** local_header_rewrite_clients. postconf(5) */
  async #rewritesLocally(): Promise<boolean> {
    const { settings, client } = this;
    for (const word of settings.localRewriteAny) {
      if (
        word === 'permit_mynetworks' &&
        (await settings.localRewriteClients.matches(client.name, client.address)) === 'yes'
      )
        return true;
      if (
        word === 'permit_inet_interfaces' &&
        isOwnAddress(client.address, settings.inetInterfaces, client.serverAddress)
      )
        return true;
      if (word === 'permit_sasl_authenticated' && this.saslUsername !== '') return true;
      if (word === 'static:all') return true;
    }
    return false;
  }

  /** Waits for more input; false when there is none to come. */
  async #waitForInput(): Promise<boolean> {
    if (this.#isClosed) {
      this.#lost('lost connection');
      return false;
    }
    if (this.#isDraining && this.transaction === undefined) {
      this.#say(replyOf(`421 4.3.2 ${this.settings.myhostname} Service shutting down`));
      this.#flush();
      return false;
    }
    this.#stream.resume();
    const timer = setTimeout(() => {
      this.#timedOut = true;
      this.#signal();
    }, this.settings.timeoutMs);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    clearTimeout(timer);
    if (!this.#timedOut) return true;
    this.#say(replyOf(`421 4.4.2 ${this.settings.myhostname} Error: timeout exceeded`));
    this.#flush();
    this.#lost('timeout');
    return false;
  }

  #lost(how: 'lost connection' | 'timeout' | 'too many errors'): void {
    if (this.#isEnding) return;
    this.options.events.emit({ kind: 'lost', client: clientText(this.client), after: this.#lastVerb, how });
  }

  /** One piece of input outside of content. False: the session is over. */
  async #onLine(piece: Framed): Promise<boolean> {
    if (piece.kind === 'longLine') {
      this.#counters.count('unknown', false);
      this.options.events.emit({
        kind: 'warning',
        text: `${clientText(this.client)}: request longer than ${this.settings.lineLengthLimit}: ${piece.text.toString('utf8', 0, 30)}...`,
      });
      return this.#answer(replyOf(`500 5.5.2 ${this.settings.myhostname} Error: command too long`));
    }
    if (piece.kind !== 'line') return true;
    if (piece.hasBareLf && this.#bareNewline === 'reject') return this.#refuseBareNewline();
    const text = piece.text.toString('utf8').replace(/[ \t]+$/, '');
    const verb = (/^\S*/.exec(text)?.[0] ?? '').toUpperCase();
    if (this.#errors >= this.settings.hardErrorLimit) {
      this.#say(replyOf(`421 4.7.0 ${this.settings.myhostname} Error: too many errors`));
      this.#flush();
      this.#lost('too many errors');
      return false;
    }
    if (this.#isForbidden(verb, text)) return false;
    const result =
      this.#reject !== undefined && verb !== 'QUIT'
        ? this.#denied()
        : await runCommand(this, verb, text.slice(verb.length).trim());
    const known = result.verb ?? 'unknown';
    this.#lastVerb = known === 'unknown' ? 'UNKNOWN' : known.toUpperCase();
    this.#counters.count(known, result.code < 400);
    this.#countJunk(known);
    if (result.checksPipelining === true && this.#hasImproperInput()) return false;
    if (result.next !== undefined) return this.#receive(result);
    return this.#answer(result);
  }

  #denied(): CommandResult & { readonly verb?: string; readonly checksPipelining?: boolean } {
    return replyOf(`503 5.7.0 Error: access denied for ${clientText(this.client)}`);
  }

  #refuseBareNewline(): boolean {
    this.#say(
      replyOf(`${this.settings.bareNewlineRejectCode} 5.5.2 ${this.settings.myhostname} Error: bare <LF> received`),
    );
    this.#flush();
    return false;
  }

  #countJunk(verb: string): void {
    if (!junkCommands.has(verb)) return;
    this.#junk += 1;
    if (this.#junk > this.settings.junkCommandLimit) this.#errors += 1;
  }

  /** HTTP and the like: told off and cut. smtpd_forbidden_commands */
  #isForbidden(verb: string, text: string): boolean {
    const isListed = this.settings.forbiddenCommands.some((word) => word.toUpperCase() === verb);
    const isBogus =
      verb !== '' &&
      !/^[A-Z]/i.test(verb) &&
      this.settings.forbiddenCommands.some((word) => word.startsWith('regexp:'));
    if (!isListed && !isBogus) return false;
    this.options.events.emit({ kind: 'warning', text: `non-SMTP command from ${clientText(this.client)}: ${text}` });
    this.#counters.count('unknown', false);
    this.#lastVerb = verb;
    this.#isEnding = true;
    this.#say(replyOf('221 2.7.0 Error: I can break rules, too. Goodbye.'));
    this.#flush();
    return true;
  }

  /** Input that came before the reply it had to wait for. smtpd_forbid_unauth_pipelining */
  #hasImproperInput(): boolean {
    const waiting = this.#reader.waitingBytes;
    if (waiting.length === 0 || !this.settings.forbidPipelining) return false;
    this.options.events.emit({
      kind: 'pipelining',
      client: clientText(this.client),
      after: this.#lastVerb,
      text: waiting
        .toString('utf8', 0, 100)
        .replaceAll('\r', String.raw`\r`)
        .replaceAll('\n', String.raw`\n`),
    });
    this.#isEnding = true;
    this.#say(replyOf('554 5.5.0 Error: SMTP protocol synchronization'));
    this.#flush();
    return true;
  }

  /** Sends a reply; false when the session is over. */
  async #answer(result: CommandResult): Promise<boolean> {
    if (result.code >= 400) this.#errors += 1;
    if (this.#errors >= this.settings.softErrorLimit) {
      this.#flush();
      await new Promise((resolve) => setTimeout(resolve, this.settings.errorSleepMs));
    }
    this.#say(result);
    if (result.closes !== true && result.code !== 421 && result.code !== 521) return true;
    this.#isEnding = true;
    this.#flush();
    return false;
  }

  #say(result: CommandResult): void {
    const softened = this.settings.softBounce && result.code >= 500 ? result.code - 100 : result.code;
    const lines =
      softened === result.code ? result.lines : result.lines.map((line) => line.replace(/^5(?=\.\d+\.\d+)/, '4'));
    const footer = result.code >= 400 ? this.#footer() : [];
    this.#out += formatReply(
      softened,
      [...lines, ...footer].map((line) => line.replaceAll(/[\r\n]/g, ' ').slice(0, 506)),
    );
  }

  #footer(): readonly string[] {
    const text = this.settings.rejectFooter;
    if (text === '') return [];
    return text
      .replace(/^\\c/, '')
      .split('\\n')
      .map((line) =>
        line.replaceAll(/\$\{?(\w+)\}?/g, (_, name: string) => {
          const values: Readonly<Record<string, string>> = {
            client_address: this.client.address,
            client_name: this.client.name,
            myhostname: this.settings.myhostname,
            localtime: new Date(this.options.now()).toISOString(),
          };
          return values[name] ?? '';
        }),
      );
  }

  #flush(): void {
    if (this.#out === '' || this.#stream.destroyed) return;
    this.#stream.write(this.#out);
    this.#out = '';
  }

  facts(recipient?: string): SessionFacts {
    const { transaction } = this;
    return {
      client: this.client,
      helo: this.helo,
      protocol: this.protocol,
      sender: transaction?.sender,
      recipient,
      recipientCount: transaction?.recipients.length ?? 0,
      queueId: transaction?.submission?.queueId ?? '',
      sizeBytes: transaction?.contentBytes === 0 ? transaction.declaredSize : (transaction?.contentBytes ?? 0),
      saslUsername: this.saslUsername,
      hasPipelinedInput: this.#reader.waitingBytes.length > 0,
    };
  }

  /** Asks the restrictions; what they want done with the message is remembered. */
  async check(stage: Stage, recipient?: string): Promise<Verdict> {
    const answer = this.options.policy.check(stage, this.facts(recipient));
    const verdict = answer instanceof Promise ? await answer : answer;
    if (verdict.kind === 'accept') this.#applyActions(verdict.actions);
    return verdict;
  }

  #applyActions(actions: readonly SubmissionAction[]): void {
    const submission = this.transaction?.submission;
    for (const action of actions) {
      if (submission === undefined) this.#actions.push(action);
      else submission.apply(action);
    }
  }

  /** Opens the queue entry at the first accepted recipient, and logs whose it is. */
  openSubmission(transaction: Transaction): void {
    const { settings, options } = this;
    const shown = this.logClient ?? this.client;
    const plain = attributesOf(this.client, this.helo ?? '', this.protocol);
    const submission = options.submission.open({
      envelope: {
        sender: transaction.sender,
        arrivedAt: transaction.startedAt,
        envid: transaction.envid,
        ret: transaction.ret,
        smtputf8: transaction.smtputf8,
        encoding: transaction.encoding,
        rewriteContext: this.#isLocalRewrite ? 'local' : 'remote',
        client: plain,
        logClient: attributesOf(
          shown,
          shown.heloName === '' ? (this.helo ?? '') : shown.heloName,
          shown.protocol === '' ? this.protocol : shown.protocol,
        ),
        fullName: '',
        contentFilter: settings.contentFilter,
        origin: 'mail',
        verp: '',
        trace: '',
        originalQueueId: '',
        requireTls: false,
        ...(this.saslUsername === '' ? {} : { sasl: { method: '', username: this.saslUsername, sender: '' } }),
      },
      source: 'smtpd',
      overrides: settings.overrides,
      prepend: () => this.#received(transaction),
    });
    transaction.submission = submission;
    for (const action of this.#actions) submission.apply(action);
    this.#actions = [];
    const sasl = this.saslUsername === '' ? '' : `, sasl_username=${this.saslUsername}`;
    const forwarded = this.logClient === undefined ? '' : `, orig_client=${clientText(this.logClient)}`;
    options.events.emit({
      kind: 'client',
      queueId: submission.queueId,
      client: clientText(this.client),
      extra: sasl + forwarded,
    });
  }

  #received(transaction: Transaction): Buffer {
    return receivedField({
      client: attributesOf(this.client, this.helo ?? '', this.protocol),
      protocol: transaction.smtputf8 ? `UTF8${this.protocol.replace(/^E/, '')}` : this.protocol,
      myhostname: this.settings.myhostname,
      mailName: this.settings.mailName,
      queueId: transaction.submission?.queueId ?? '',
      recipients: transaction.recipients,
      at: transaction.startedAt,
      hidesClient: false,
    });
  }

  /** DATA or BDAT: content into the queue, then the answer. */
  async #receive(result: CommandResult): Promise<boolean> {
    const { next } = result;
    const { transaction } = this;
    if (next === undefined || transaction === undefined) return this.#answer(result);
    if (next === 'data') {
      this.#say(result);
      this.#flush();
      this.#reader.beginData(this.#bareNewline);
      if (!(await this.#takeContent(transaction, 'endOfContent'))) return false;
      if (this.#reader.sawBareLf && this.#bareNewline === 'reject') {
        transaction.submission?.abort();
        this.transaction = undefined;
        return this.#refuseBareNewline();
      }
      return this.#answer(await this.#finish(transaction, false));
    }
    this.#reader.beginChunk(next.chunk);
    if (!(await this.#takeContent(transaction, 'endOfChunk'))) return false;
    if (!next.isLast) return this.#answer(result);
    return this.#answer(await this.#finish(transaction, true));
  }

  /** Reads content up to its end. False: the client went away. */
  async #takeContent(transaction: Transaction, end: 'endOfContent' | 'endOfChunk'): Promise<boolean> {
    for (;;) {
      const piece = this.#reader.next();
      if (piece === undefined) {
        if (!(await this.#waitForInput())) return false;
        continue;
      }
      if (piece.kind === end) return true;
      if (piece.kind !== 'content' && piece.kind !== 'chunk') continue;
      transaction.contentBytes += piece.bytes.length;
      const wait = transaction.submission?.write(piece.bytes);
      if (wait !== undefined) {
        this.#stream.pause();
        await wait;
      }
    }
  }

  /** End of data: the last restrictions, the commit, the reply. */
  async #finish(transaction: Transaction, wasChunked: boolean): Promise<CommandResult> {
    const { submission } = transaction;
    if (submission === undefined) return replyOf('451 4.3.0 Error: queue file write error');
    const verdict = await this.check('endOfData');
    if (verdict.kind === 'reject') {
      submission.abort();
      this.transaction = undefined;
      return replyOf(verdict.reply, verdict.hangsUp);
    }
    const outcome = await submission.end();
    this.transaction = undefined;
    this.#junk = 0;
    return replyOf(resultReply(outcome, wasChunked ? transaction.contentBytes : undefined));
  }

  /** Ends a transaction without delivering it. */
  resetTransaction(): void {
    this.transaction?.submission?.abort();
    this.transaction = undefined;
    this.#actions = [];
  }

  /** XCLIENT: the session begins anew as another client. */
  async becomeClient(
    client: ClientFacts,
    helo: string | undefined,
    protocol: string | undefined,
    login: string | undefined,
  ): Promise<Verdict | undefined> {
    this.resetTransaction();
    this.client = client;
    this.helo = helo;
    if (protocol !== undefined && protocol !== '') this.protocol = protocol;
    if (login !== undefined) this.saslUsername = login;
    await this.#updateRights();
    return this.settings.delayReject ? undefined : this.check('connect');
  }
}

function attributesOf(client: ClientFacts, heloName: string, protocol: string) {
  const { name, reverseName, address, port, serverAddress, serverPort } = client;
  return { name, reverseName, address, port, heloName, protocol, serverAddress, serverPort };
}

function isOwnAddress(address: string, interfaces: readonly string[], serverAddress: string): boolean {
  if (address === serverAddress) return true;
  if (interfaces.includes(address)) return true;
  return (interfaces.includes('all') || interfaces.includes('loopback-only')) && /^127\.|^::1$/.test(address);
}

function resultReply(result: SubmissionResult, bytes: number | undefined): string {
  if (result.kind === 'refused') return `${result.code} ${result.dsn} ${result.text}`;
  return bytes === undefined
    ? `250 2.0.0 Ok: queued as ${result.queueId}`
    : `250 2.0.0 Ok: ${bytes} bytes queued as ${result.queueId}`;
}

/** Facts about a fresh connection, before any lookup. */
export function clientOf(socket: Socket): ClientFacts {
  const plain = (address: string | undefined): string => (address ?? '').replace(/^::ffff:/, '');
  return {
    name: 'unknown',
    nameStatus: 'unknown',
    reverseName: 'unknown',
    reverseNameStatus: 'unknown',
    address: plain(socket.remoteAddress),
    port: String(socket.remotePort ?? ''),
    heloName: '',
    protocol: '',
    serverAddress: plain(socket.localAddress),
    serverPort: String(socket.localPort ?? ''),
  };
}
