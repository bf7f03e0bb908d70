/** How much a client may ask for: connections, messages, recipients. postconf(5) smtpd_client_connection_count_limit ff. */
import { type MaybePromise, whenReady } from '#message';
import { isListed } from './access-rights.ts';
import { anvilClient } from './anvil.ts';
import { type CommandResult, replyOf } from './command-result.ts';
import { warn } from './session-log.ts';
import type { Session } from './session.ts';
import type { SmtpdSettings } from './settings.ts';

interface Rate {
  readonly limitOf: (settings: SmtpdSettings) => number;
  readonly warning: string;
  readonly reply: string;
}

const rates: Readonly<Record<'message' | 'recipient' | 'auth', Rate>> = {
  auth: {
    limitOf: (settings) => settings.clientAuthRateLimit,
    warning: 'AUTH command rate',
    reply: '450 4.7.1 Error: too many AUTH commands',
  },
  message: {
    limitOf: (settings) => settings.clientMessageRateLimit,
    warning: 'Message delivery request rate',
    reply: '450 4.7.1 Error: too much mail',
  },
  recipient: {
    limitOf: (settings) => settings.clientRecipientRateLimit,
    warning: 'Recipient address rate',
    reply: '450 4.7.1 Error: too many recipients',
  },
};

export class ClientLimits {
  readonly #session: Session;
  /** Under which name the client is counted; undefined: it isn't. */
  #countedAs: string | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** A client is there, by connection or by XCLIENT: the reply when it comes too often. */
  async meet(): Promise<CommandResult | undefined> {
    const { settings, options, client } = this.#session;
    const { clientConnectionLimit, clientConnectionRateLimit } = settings;
    this.#forget();
    if (!this.#countsAnything || (await this.#mayBeAnyone()) || (await this.#isExempt())) return undefined;
    this.#countedAs = anvilClient(settings.service, client.address, settings.clientPrefixes);
    const { sessions, rate } = options.anvil.connect(this.#countedAs);
    const isOver = (value: number, limit: number): boolean => limit > 0 && value > limit;
    if (isOver(sessions, clientConnectionLimit)) this.#warn('Connection concurrency', sessions);
    else if (isOver(rate, clientConnectionRateLimit)) this.#warn('Connection rate', rate);
    else return undefined;
    return replyOf(`421 4.7.0 ${settings.myhostname} Error: too many connections from ${client.address}`);
  }

  async disconnect(): Promise<void> {
    if (!this.#forget()) return;
    // Postfix looks again whom it doesn't count, and says again that it couldn't look.
    await this.#isExempt();
  }

  /** False: nobody was counted. */
  #forget(): boolean {
    const client = this.#countedAs;
    this.#countedAs = undefined;
    if (client !== undefined) this.#session.options.anvil.disconnect(client);
    return client !== undefined;
  }

  /** Counts a message or recipient; the reply when there are too many of them. */
  refusalOf(kind: keyof typeof rates): MaybePromise<CommandResult | undefined> {
    const { settings, options, client } = this.#session;
    const { limitOf, warning, reply } = rates[kind];
    const limit = limitOf(settings);
    return whenReady(this.#isLimited(limit), (isLimited) => {
      if (!isLimited) return undefined;
      const count = options.anvil.count(this.#name, kind);
      if (count <= limit) return undefined;
      this.#warn(warning, count);
      return replyOf(`${reply} from ${client.address}`);
    });
  }

  /** Whether the client has made too many new TLS sessions already. */
  async refusesTls(): Promise<boolean> {
    const { settings, options } = this.#session;
    const limit = settings.clientNewTlsSessionRateLimit;
    return (await this.#isLimited(limit)) && options.anvil.rateOf(this.#name, 'newTlsSession') > limit;
  }

  /** Counts a new TLS session; whether it is one too many. */
  async countTls(): Promise<boolean> {
    const { settings, options } = this.#session;
    const limit = settings.clientNewTlsSessionRateLimit;
    if (!(await this.#isLimited(limit))) return false;
    const count = options.anvil.count(this.#name, 'newTlsSession');
    if (count > limit) this.#warn('New TLS session rate', count);
    return count > limit;
  }

  #isLimited(limit: number): MaybePromise<boolean> {
    if (limit === 0 || this.#session.options.isStandAlone) return false;
    return whenReady(this.#mayBeAnyone(), (isAnyone) => (isAnyone ? false : whenReady(this.#isExempt(), (is) => !is)));
  }

  get #name(): string {
    const { settings, client } = this.#session;
    return anvilClient(settings.service, client.address, settings.clientPrefixes);
  }

  /** Without a limit nobody is counted. */
  get #countsAnything(): boolean {
    const { settings, options } = this.#session;
    const { clientConnectionLimit, clientConnectionRateLimit, clientMessageRateLimit } = settings;
    const limits = [clientConnectionLimit, clientConnectionRateLimit, clientMessageRateLimit];
    return !options.isStandAlone && [...limits, settings.clientRecipientRateLimit].some((limit) => limit > 0);
  }

  /** Whether others speak through this client: those are counted. */
  #mayBeAnyone(): MaybePromise<boolean> {
    const { settings, client, canXclient } = this.#session;
    return client.address === client.connectedFrom ? canXclient : isListed(settings.xclientHosts, client);
  }

  #isExempt(): MaybePromise<boolean> {
    const { settings, client } = this.#session;
    return isListed(settings.eventLimitExceptions, client);
  }

  #warn(what: string, count: number): void {
    const { clientText, settings } = this.#session;
    warn(this.#session, `${what} limit exceeded: ${count} from ${clientText} for service ${settings.service}`);
  }
}
