/**
 * What happened, as typed events. Code emits events; Postfix's log line, JSON and others are renderings of them.
 *
 * Each service has a file in `kinds/` with its events and their Postfix texts.
 */
import type { BounceEvent } from './kinds/bounce.ts';
import type { CleanupEvent } from './kinds/cleanup.ts';
import type { DeliveryEvent } from './kinds/delivery.ts';
import type { MasterEvent } from './kinds/master.ts';
import type { PickupEvent } from './kinds/pickup.ts';
import type { PostscreenEvent } from './kinds/postscreen.ts';
import type { ProgramEvent } from './kinds/program.ts';
import type { QmgrEvent } from './kinds/qmgr.ts';
import type { SmtpClientEvent } from './kinds/smtp-client.ts';
import type { SmtpdEvent } from './kinds/smtpd.ts';
import type { TlsEvent } from './kinds/tls.ts';

export type MailEvent =
  | SmtpdEvent
  | TlsEvent
  | PostscreenEvent
  | CleanupEvent
  | QmgrEvent
  | DeliveryEvent
  | SmtpClientEvent
  | BounceEvent
  | PickupEvent
  | MasterEvent
  | ProgramEvent;

/** An address, in internal form, as the log shows it. postconf(5) info_log_address_format */
export type ShownAddress = (address: string) => string;

/** For each kind of event, its text in the Postfix log, with `warning: ` and the like in front where due. */
export type Renderings<E extends { readonly kind: string }> = {
  readonly [K in E['kind']]: (event: Extract<E, { readonly kind: K }>, shown: ShownAddress) => string;
};

/** Where a service's events go; carries the log tag (`postfix/smtpd`). */
export interface EventChannel {
  emit(event: MailEvent): void;
}

/** One emitted event on its way to a sink. */
export interface EventRecord {
  /** ms since the epoch. */
  readonly at: number;
  /** `SYSLOG_NAME/PROCESS`, such as `postfix/submission/smtpd`. */
  readonly tag: string;
  readonly pid: number;
  readonly event: MailEvent;
}
