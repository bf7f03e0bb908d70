/**
 * One SMTP session: greets, loops over commands until one ends it, and holds what they tell each other. RFC 5321; smtpd(8)
 *
 * The loop over commands is in `command-loop.ts`, the one over content in `content-loop.ts`; both work on a session.
 */
import type { Duplex } from 'node:stream';
import { type EventChannel, panicOf } from '#events';
import type { MaybePromise, SubmissionPort, TlsFacts } from '#message';
import type { HostLookup } from '#dns';
import type { Rewriter } from '#rewrite';
import type { SessionNotice, Turn } from '#smtp';
import type { ServerTls } from '#tls';
import { type ClientRights, isListed, noRights, rightsOf } from './access-rights.ts';
import type { Anvil } from './anvil.ts';
import { ClientLimits } from './client-limits.ts';
import { lookUpNames, withNames } from './client-lookup.ts';
import { nextCommand } from './command-loop.ts';
import { replyOf } from './command-result.ts';
import { beginSecured } from './commands/starttls.ts';
import type { Override } from './commands/xclient.ts';
import { CommandCounters } from './counters.ts';
import { Exchange } from './exchange.ts';
import { type Forwarding, notForwarded } from './forwarding.ts';
import type { LoginSettings } from './login-settings.ts';
import { checkPolicy } from './policy-check.ts';
import type { PolicyChecks, PolicyMemory } from './policy.ts';
import { warn } from './session-log.ts';
import { beginLogin, loginByXclient, SessionLogin } from './session-login.ts';
import {
  type ClientFacts,
  clientText,
  type NewTransaction,
  type Transaction,
  unknownAddress,
} from './session-state.ts';
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
  /** Tells the postmaster of a session in which something went wrong. notify_classes */
  readonly notifyPostmaster?: (notice: SessionNotice) => void;
  /** TLS that the service offers. */
  readonly tls?: ServerTls | undefined;
  /** How clients log in. */
  readonly login?: LoginSettings | undefined;
  /** Who has logged in before the session began: a client that is only described. */
  readonly knownUser?: string;
  /** When replies go out. */
  readonly turn: Turn;
  /** `sendmail -bs`: no network client, no connection limits. */
  readonly isStandAlone: boolean;
  /** The load balancer in front of us did not say who the client is: nobody is served. */
  readonly isUntold?: boolean;
}

export class Session {
  readonly options: SessionOptions;
  readonly settings: SmtpdSettings;
  readonly exchange: Exchange;
  readonly limits: ClientLimits;
  readonly counters = new CommandCounters();
  client: ClientFacts;
  /** `name[address]`, as logged. */
  clientText = '';
  forwarding: Forwarding = notForwarded;
  helo: string | undefined;
  protocol = 'SMTP';
  login = new SessionLogin();
  /** Since STARTTLS. */
  tls: TlsFacts | undefined;
  /** What the next command is answered, whatever it is: the last words of the session. */
  farewell: string | undefined;
  transaction: Transaction | undefined;
  /** BDAT: chunks were taken, or one was refused and the others have to be, too. */
  chunks: 'none' | 'taken' | 'refused' = 'none';
  /** SIZE= of the last MAIL, also of one that was refused. */
  declaredSize = 0;
  /** AUTH= of the last MAIL, in the same way. */
  saslSender: string | undefined;
  /** Who may use XFORWARD is settled by the real client, who may use XCLIENT by the one that was told last; what is announced, by the present one. */
  canXclient = false;
  canXforward = false;
  rights: ClientRights = noRights;
  /** EHLO keywords that are not announced, lower case. */
  discarded: ReadonlySet<string>;
  /** How far the session is, as logged: CONNECT, a verb, END-OF-MESSAGE. */
  where = 'CONNECT';
  /** Content has been asked for by the command in `where`: the log says how much of it came. */
  tellsBytes = false;
  /** The client was refused when it connected: nothing is left but QUIT. */
  accessDenied = false;
  /** In a session whose last line has to tell of it. */
  sawBareLf = false;
  /** What the restrictions remember from one stage to the next. */
  policyMemory: PolicyMemory = {};
  isDraining = false;
  /** Ended without the last line in the log. */
  #isAborted = false;
  #transactionCount = 0;

  constructor(stream: Duplex, client: ClientFacts, options: SessionOptions) {
    this.options = options;
    this.settings = options.settings;
    this.client = client;
    this.discarded = options.settings.discardedKeywords;
    this.limits = new ClientLimits(this);
    this.exchange = new Exchange(stream, this);
  }

  /** Ends at the next command outside of a transaction, with 421. */
  drain(): void {
    this.isDraining = true;
    this.exchange.input.wake();
  }

  /** Runs the session to its end; never rejects. */
  async run(): Promise<void> {
    const { exchange } = this;
    try {
      await this.#converse();
    } catch (error) {
      this.#panic(error);
      // what went wrong may be in the way of a reply, too
      const lastWords = exchange.end(replyOf(`421 4.3.0 ${this.settings.myhostname} Server local error`));
      await lastWords.catch(() => exchange.cut());
    }
    try {
      await this.#leave();
    } catch (error) {
      this.#panic(error);
    }
    exchange.hangUp();
  }

  async #converse(): Promise<void> {
    const { options, exchange } = this;
    await this.#lookUpClient();
    options.events.emit({ kind: 'connected', client: this.clientText });
    const isReady = options.tls?.wraps !== true || (await beginSecured(this));
    if (isReady && (await beginLogin(this))) await this.greet();
    while (!exchange.isOver) await nextCommand(this);
  }

  async #leave(): Promise<void> {
    this.exchange.transcript.reset(0);
    this.resetTransaction();
    await this.limits.disconnect();
    const notes = this.sawBareLf ? ['bare_lf'] : [];
    if (this.#isAborted) return;
    this.options.events.emit({
      kind: 'disconnected',
      client: this.clientText,
      counters: this.counters.render(notes),
    });
  }

  #panic(error: unknown): void {
    this.options.events.emit(panicOf(error));
  }

  /** '' while there is no queue entry. */
  get queueId(): string {
    return this.transaction?.submission?.queueId ?? '';
  }

  async #lookUpClient(): Promise<void> {
    const { settings, options } = this;
    if (settings.peernameLookup && this.client.nameStatus !== 'ok' && this.client.address !== unknownAddress) {
      const names = await lookUpNames(this.client.address, options.hostLookup, (text) => warn(this, text));
      this.client = withNames(this.client, names);
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
    this.rights = await rightsOf(settings, client);
  }

  /** The banner, or a refusal; `again` after XCLIENT. */
  async greet(): Promise<void> {
    const { settings, exchange } = this;
    if (exchange.isOver) return;
    if (this.options.isUntold === true) {
      // no news for the postmaster: the load balancer said nothing that a session begins with
      return exchange.end({ ...replyOf(`421 4.3.0 ${settings.myhostname} Server local error`), trouble: 'none' });
    }
    const tooMany = await this.limits.meet();
    if (tooMany !== undefined) return exchange.end(tooMany);
    if (exchange.isOutOfStep(this.where)) return exchange.endOutOfStep();
    const verdict = settings.delayReject ? undefined : await checkPolicy(this, 'connect');
    if (verdict?.kind === 'reject') {
      this.accessDenied = true;
      await exchange.answer(replyOf(verdict.reply, verdict.hangsUp));
    } else exchange.replies.sayPlain(220, [settings.banner]);
  }

  /** Ends the session as if the server had died of it. */
  die(fatal: string): void {
    this.options.events.emit({ kind: 'fatal', text: fatal });
    this.#isAborted = true;
    this.exchange.cut();
  }

  beginTransaction(start: NewTransaction): void {
    this.#transactionCount += 1;
    const { now } = this.options;
    this.transaction = {
      ...start,
      recipients: [],
      submission: undefined,
      filter: undefined,
      contentBytes: 0,
      isAtTop: true,
      isTooLarge: false,
      isDiscarded: false,
      isHeld: false,
      tooManyRecipients: 0,
      waitingActions: [],
      instance: `${process.pid.toString(16)}.${Math.floor(now() / 1000).toString(16)}.${this.client.port}.${this.#transactionCount}`,
    };
  }

  /** What was said before TLS is not known any more. RFC 3207, 4.2 */
  forgetGreeting(): void {
    this.resetTransaction();
    this.helo = undefined;
  }

  /** Ends a transaction; what was not committed is forgotten. */
  resetTransaction(): void {
    this.transaction?.submission?.abort();
    this.transaction?.filter?.close();
    this.transaction = undefined;
    this.declaredSize = 0;
    this.saslSender = undefined;
    this.chunks = 'none';
    // XFORWARD is about one message
    this.forwarding = notForwarded;
  }

  /** Takes over what XCLIENT says; who the client is by that, and may do, is not settled by it. */
  takeFacts({ client, helo, protocol, login }: Override): void {
    this.client = client;
    if (helo !== undefined) this.helo = helo === '' ? undefined : helo;
    if (protocol !== undefined) this.protocol = protocol === '' ? 'SMTP' : protocol;
    if (login === undefined) return;
    this.login.user = login;
    this.login.method = login === '' ? '' : loginByXclient;
  }

  /** XCLIENT: the session goes on as another client's. */
  async becomeClient(override: Override): Promise<void> {
    this.resetTransaction();
    this.helo = undefined;
    this.protocol = 'SMTP';
    this.takeFacts({ ...override, login: undefined });
    this.policyMemory = {};
    this.accessDenied = false;
    // for a further XCLIENT the client that was named has to be allowed to use it
    this.canXclient = await isListed(this.settings.xclientHosts, this.client);
    await this.#settleClient();
    await beginLogin(this);
    this.takeFacts(override);
  }
}
