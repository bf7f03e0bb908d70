/**
 * The one place that decides what a reply or a loss means: for a recipient, for the message, for this server, for the
 * destination; now or later (RFC 5321, 4.2.1, 5.1).
 *
 * While other servers are left, what fails softly is kept for them; with the last one, it is deferred. What fails hard is
 * returned at once. A server that could not be talked to at all counts against the destination.
 */
import {
  type DeliveryRequest,
  failureKind,
  type Outcome,
  type OutcomeKind,
  type RequestRecipient,
  type Status,
} from '#message';
import type { Connection } from './connection.ts';
import { OutcomeReport, type ReportTools } from './outcome-report.ts';
import type { Reply } from './reply.ts';
import { oneLine } from './refusal.ts';

/** How a conversation broke off. */
export type Breakdown = 'lost' | 'timeout' | 'garbage' | 'unjudged';

export class Attempt {
  readonly request: DeliveryRequest;
  /** Why the last server could not be used. */
  why: Status | undefined;
  /** No further destination will be tried. */
  isFinalNexthop = false;
  /** No further server will be tried: what is left is settled. */
  isFinalServer = false;
  /** A session went through to its end, whatever came of it: later failures don't count against the destination. */
  hadCompleteSession = false;
  /** The reason with which the destination as a whole failed. */
  siteFailure: Status | undefined;
  readonly #tools: ReportTools;
  readonly #report: OutcomeReport;
  /** Not settled and not set aside for the next server. */
  #open: RequestRecipient[];
  #kept: RequestRecipient[] = [];
  #connection: Connection | undefined;
  /** The one whose TLS is not worth a delay. */
  #optionalTls: Connection | undefined;
  /** It broke off. */
  #wantsPlain = false;
  #connectedAt: number | undefined;
  /** No more servers are tried. */
  isOverdue = false;
  /** What the log calls the place of a delivery without a server. */
  #relay = 'none';

  constructor(tools: ReportTools, request: DeliveryRequest, report: (outcome: Outcome) => void) {
    this.#tools = tools;
    this.request = request;
    this.#report = new OutcomeReport(tools, request, report);
    this.#open = [...request.recipients];
  }

  /** Recipients that this session still has to deal with. */
  get recipients(): readonly RequestRecipient[] {
    return this.#open;
  }

  get isDone(): boolean {
    return this.#open.length === 0;
  }

  /** It takes too long: the session that is under way ends, and no other begins. daemon_timeout */
  breakOff(): void {
    this.isOverdue = true;
    this.#connection?.breakOff();
  }

  /** A session begins, or (undefined) has ended: what was set aside is up again. */
  useConnection(connection: Connection | undefined): void {
    this.#connection = connection;
    if (this.#kept.length > 0) {
      const kept = new Set(this.#kept);
      this.#open = this.request.recipients.filter((one) => kept.has(one) || this.#open.includes(one));
      this.#kept = [];
    }
  }

  /** Should the session that has just begun inside TLS break off, plaintext is better than to wait longer. */
  noteOptionalTls(): void {
    this.#optionalTls = this.#connection;
  }

  /** Whether what is left should be said to the same server once more, in plaintext: a session inside TLS broke off. Says so once. */
  takeRetryInPlain(): boolean {
    const wanted = this.#wantsPlain;
    this.#wantsPlain = false;
    return wanted;
  }

  /** The server is ready for MAIL. */
  noteConnected(): void {
    this.#connectedAt = this.#tools.now();
  }

  /** The server took the message for a recipient. */
  accepted(recipient: RequestRecipient, reply: Reply, action: Outcome['action']): void {
    const status: Status = {
      code: reply.dsn,
      reason: oneLine(reply),
      ...(this.#connection !== undefined && { remoteMta: `dns; ${this.#connection.endpoint.host}` }),
      diagnostic: { type: 'smtp', text: oneLine(reply) },
    };
    this.#settle([recipient], this.request.probe ? 'deliverable' : 'sent', status, action);
  }

  /** Settled without a server, in the name of the service. */
  settleHere(recipients: readonly RequestRecipient[], status: Status, serviceName: string): void {
    this.#relay = serviceName;
    this.#settle(recipients, failureKind(status.code), status);
    this.#relay = 'none';
  }

  /** One recipient was refused; a soft refusal leaves it to the next server. */
  recipientRefused(recipient: RequestRecipient, status: Status): void {
    if (this.#mayTryElsewhere(status)) {
      this.#note(status.reason);
      this.#open = this.#open.filter((one) => one !== recipient);
      this.#kept.push(recipient);
    } else {
      this.#settle([recipient], failureKind(status.code), status);
    }
  }

  /** The message was refused for all that are left. */
  messageRefused(status: Status): void {
    this.#refuseAll(status, false);
  }

  /** This server lacks what the message can't go without: another may have it, and after the last one it is returned. */
  serverLacks(status: Status): void {
    if (this.#connection !== undefined) this.#connection.isSpent = true;
    this.#refuseAll(status, false, true);
  }

  /** This server can't be used: with the last one, the destination has failed. */
  siteFailed(status: Status): void {
    if (this.#connection !== undefined) this.#connection.isSpent = true;
    this.#refuseAll(status, true);
  }

  /** The conversation broke off while doing something. */
  brokeOff(how: Breakdown, doing: string): void {
    if (how === 'unjudged') this.#connection?.transcript?.note('data');
    const name = this.#connection?.name ?? 'unknown';
    const reason = {
      lost: `lost connection with ${name} while ${doing}`,
      timeout: `conversation with ${name} timed out while ${doing}`,
      garbage: `protocol error in reply from ${name} while ${doing}`,
      unjudged: `local data error while talking to ${name}`,
    }[how];
    const codes = { lost: '4.4.2', timeout: '4.4.2', garbage: '4.5.0', unjudged: '4.3.0' };
    if ((how === 'lost' || how === 'timeout') && this.#mayGoOnInPlain()) {
      this.#wantsPlain = true;
      this.isFinalServer = false;
    }
    this.siteFailed({ code: codes[how], reason });
  }

  #mayGoOnInPlain(): boolean {
    return this.#open.length > 0 && this.#connection !== undefined && this.#connection === this.#optionalTls;
  }

  /** All servers were tried: settles what is left. Resolves when everything has been reported. */
  async finish(): Promise<void> {
    this.useConnection(undefined);
    if (this.#open.length > 0) {
      this.isFinalServer = true;
      this.#refuseAll(this.why ?? { code: '4.3.0', reason: 'server unavailable or unable to receive mail' }, true);
    }
    await this.told();
  }

  /** Resolves when all that is settled has been reported. */
  told(): Promise<void> {
    return this.#report.told();
  }

  #mayTryElsewhere(status: Status): boolean {
    return !this.isFinalServer && (isSoft(status) || this.#tools.softBounce);
  }

  #refuseAll(status: Status, isSiteTrouble: boolean, isSoftFor = false): void {
    this.why = status;
    if (this.#mayTryElsewhere(status) || (isSoftFor && !this.isFinalServer)) {
      this.#note(status.reason);
      this.#kept.push(...this.#open);
      this.#open = [];
      return;
    }
    const soft = isSoft(status) || this.#tools.softBounce;
    const hadRecipients = this.#open.length > 0;
    this.#settle(this.#open, failureKind(status.code), status);
    if (isSiteTrouble && soft && hadRecipients && !this.hadCompleteSession) this.siteFailure ??= status;
  }

  #note(reason: string): void {
    this.#tools.events.emit({ kind: 'hostSkipped', queueId: this.request.queueId, reason });
  }

  #settle(
    recipients: readonly RequestRecipient[],
    kind: OutcomeKind,
    status: Status,
    action?: Outcome['action'],
  ): void {
    const settled = new Set(recipients);
    this.#open = this.#open.filter((one) => !settled.has(one));
    this.#report.add(recipients, {
      kind,
      status,
      ...(action !== undefined && { action }),
      connection: this.#connection,
      relay: this.#relay,
      connectedAt: this.#connectedAt,
    });
  }
}

function isSoft(status: Status): boolean {
  return failureKind(status.code) === 'deferred';
}

/** The mail came back to where it has been. RFC 3463, 3.5 */
export function isLoop(status: Status): boolean {
  return status.code.endsWith('.4.6');
}
