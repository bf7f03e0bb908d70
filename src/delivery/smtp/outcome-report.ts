/** Outcomes of an attempt, filtered, logged and reported in the order in which they were found. smtp_delivery_status_filter */
import type { EventChannel } from '#events';
import {
  concludedAs,
  type DeliveryRequest,
  type Outcome,
  type OutcomeKind,
  type RequestRecipient,
  type Status,
} from '#message';
import type { Judged, StatusFilter } from '../status-filter.ts';
import type { Connection } from './connection.ts';
import { tlsFeatures } from './tls-features.ts';

export interface ReportTools {
  readonly events: EventChannel;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly softBounce: boolean;
  readonly delayDigits: number;
  /** smtp_log_tls_feature_status */
  readonly tellsTls: boolean;
  /** smtp_delivery_status_filter; undefined when there is none. */
  readonly statusFilter: StatusFilter | undefined;
}

/** What an attempt found of some recipients. */
export interface Found {
  readonly kind: OutcomeKind;
  readonly status: Status;
  readonly action?: Outcome['action'];
  readonly connection: Connection | undefined;
  /** What the log calls the place where there was no server. */
  readonly relay: string;
  /** When the server was ready for MAIL; undefined: none was. */
  readonly connectedAt: number | undefined;
}

export class OutcomeReport {
  readonly #tools: ReportTools;
  readonly #request: DeliveryRequest;
  readonly #report: (outcome: Outcome) => void;
  #working: Promise<void> = Promise.resolve();
  #isWorking = false;

  constructor(tools: ReportTools, request: DeliveryRequest, report: (outcome: Outcome) => void) {
    this.#tools = tools;
    this.#request = request;
    this.#report = report;
  }

  /** At once, unless the filter has to wait for a table. */
  add(recipients: readonly RequestRecipient[], found: Found): void {
    const endedAt = this.#tools.now();
    const { kind, status } = found;
    for (const recipient of recipients) {
      const tell = (judged: Judged): void => this.#tell(recipient, judged, found, endedAt);
      const filtered = this.#tools.statusFilter?.apply(kind, status) ?? { kind, status };
      if (!(filtered instanceof Promise) && !this.#isWorking) {
        tell(filtered);
        continue;
      }
      this.#isWorking = true;
      this.#working = this.#working.then(async () => tell(await filtered));
    }
  }

  /** Resolves when all of it has been reported. */
  told(): Promise<void> {
    return this.#working;
  }

  #tell(
    recipient: RequestRecipient,
    judged: Judged,
    { action, connection, relay, connectedAt }: Found,
    endedAt: number,
  ): void {
    const { softBounce, delayDigits, tellsTls, events } = this.#tools;
    const { queueId, envelope, activeAt, startedAt } = this.#request;
    const { kind, status, logged } = concludedAs(judged, this.#request, softBounce);
    events.emit({
      kind: 'delivery',
      queueId,
      recipient: recipient.address,
      original: recipient.original,
      relay: connection?.label ?? relay,
      ...(connection !== undefined && { connectionUse: connection.uses }),
      times: [envelope.arrivedAt, activeAt, startedAt, connectedAt ?? endedAt, endedAt],
      code: status.code,
      outcome: logged,
      text: status.reason,
      ...(delayDigits !== 2 && { delayDigits }),
      ...(tellsTls &&
        connection !== undefined && { tls: tlsFeatures({ ...connection.tls, isSecured: connection.isSecured }) }),
    });
    this.#report({
      index: recipient.index,
      kind,
      status,
      ...(action !== undefined && { action }),
      ...(connection !== undefined && { relay: connection.label }),
    });
  }
}
