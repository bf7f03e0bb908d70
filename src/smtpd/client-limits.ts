/** How much a client may ask for: connections, messages, recipients. postconf(5) smtpd_client_connection_count_limit ff. */
import { isListed } from './access-rights.ts';
import { type Anvil, anvilClient } from './anvil.ts';
import { type CommandResult, replyOf } from './command-result.ts';
import { warn } from './session-log.ts';
import type { Session } from './session.ts';

type Counted = ReturnType<Anvil['connect']>;

export class ClientLimits {
  readonly #session: Session;
  /** Under which name the client is counted, whatever XCLIENT says later. */
  readonly #anvilClient: string;
  #counted: Counted | undefined;

  constructor(session: Session) {
    const { service, clientPrefixes } = session.settings;
    this.#session = session;
    this.#anvilClient = anvilClient(service, session.client.address, clientPrefixes);
  }

  /** A connection begins. */
  connect(): void {
    const { isStandAlone, anvil } = this.#session.options;
    if (!isStandAlone) this.#counted = anvil.connect(this.#anvilClient);
  }

  disconnect(): void {
    if (this.#counted !== undefined) this.#session.options.anvil.disconnect(this.#anvilClient);
  }

  /** The reply to a client that connects too often. */
  async refusalOfConnection(): Promise<CommandResult | undefined> {
    const { settings, client } = this.#session;
    const counted = this.#counted;
    if (counted === undefined) return undefined;
    const isOver = (value: number, limit: number): boolean => limit > 0 && value > limit;
    const isCrowded = isOver(counted.sessions, settings.clientConnectionLimit);
    if (!isCrowded && !isOver(counted.rate, settings.clientConnectionRateLimit)) return undefined;
    if (await isListed(settings.eventLimitExceptions, client)) return undefined;
    if (isCrowded) this.#warn('Connection concurrency', counted.sessions);
    else this.#warn('Connection rate', counted.rate);
    return replyOf(`421 4.7.0 ${settings.myhostname} Error: too many connections from ${client.address}`);
  }

  /** Counts a message or recipient; the reply when there are too many of them. */
  async refusalOf(kind: 'message' | 'recipient'): Promise<CommandResult | undefined> {
    const { settings, options, client } = this.#session;
    const limit = kind === 'message' ? settings.clientMessageRateLimit : settings.clientRecipientRateLimit;
    if (limit === 0 || options.isStandAlone || (await isListed(settings.eventLimitExceptions, client)))
      return undefined;
    const count = options.anvil.count(this.#anvilClient, kind);
    if (count <= limit) return undefined;
    this.#warn(kind === 'message' ? 'Message delivery request rate' : 'Recipient address rate', count);
    const what = kind === 'message' ? 'too much mail' : 'too many recipients';
    return replyOf(`450 4.7.1 Error: ${what} from ${client.address}`);
  }

  #warn(what: string, count: number): void {
    const { clientText, settings } = this.#session;
    warn(this.#session, `${what} limit exceeded: ${count} from ${clientText} for service ${settings.service}`);
  }
}
