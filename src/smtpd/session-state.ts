/** What an SMTP session knows: the client, the greeting, the transaction. RFC 5321, 4.1.4 */
import type { ClientAttributes, Notify, Submission } from '#message';

export type NameStatus = 'ok' | 'unknown' | 'tempfail';

export interface ClientFacts extends ClientAttributes {
  /** How the forward-confirmed lookup of the name went. */
  readonly nameStatus: NameStatus;
  readonly reverseNameStatus: NameStatus;
}

export interface AcceptedRecipient {
  readonly address: string;
  readonly dsnOriginal: string;
  readonly notify: readonly Notify[];
}

/** A mail transaction, from MAIL on. */
export interface Transaction {
  readonly sender: string;
  readonly declaredSize: number;
  readonly encoding: '' | '7bit' | '8bit';
  readonly smtputf8: boolean;
  readonly ret: '' | 'full' | 'hdrs';
  readonly envid: string;
  readonly startedAt: number;
  readonly recipients: AcceptedRecipient[];
  /** Opened at the first accepted recipient. */
  submission: Submission | undefined;
  /** A BDAT chunk was taken: RCPT, MAIL and DATA are out of order now. */
  inChunks: boolean;
  contentBytes: number;
  tooManyRecipients: number;
}

/** `name[address]`, as logged. */
export function clientText(client: ClientAttributes): string {
  return `${client.name}[${client.address}]`;
}
