/** What an SMTP session knows: the client, the greeting, the transaction. RFC 5321, 4.1.4 */
import type { Socket } from 'node:net';
import { endAddress } from '#address';
import type { Endpoint } from '#smtp';
import type { ClientAttributes, Notify, Submission, SubmissionAction } from '#message';
import type { FilteredMail } from './proxy-filter/index.ts';

export type NameStatus = 'ok' | 'unknown' | 'tempfail';

export interface ClientFacts extends ClientAttributes {
  /** How the forward-confirmed lookup of the name went. */
  readonly nameStatus: NameStatus;
  readonly reverseNameStatus: NameStatus;
  /** Where the connection really comes from, whatever XCLIENT said. */
  readonly connectedFrom: string;
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
  /** AUTH= of MAIL; undefined when there was none. RFC 4954, 5 */
  readonly saslSender: string | undefined;
  readonly encoding: '' | '7bit' | '8bit';
  readonly smtputf8: boolean;
  /** RFC 8689 */
  readonly requireTls: boolean;
  readonly ret: '' | 'full' | 'hdrs';
  readonly envid: string;
  readonly startedAt: number;
  /** The command as it came. */
  readonly mailCommand: string;
  /** Its headers are rewritten as local mail's. */
  readonly rewritesLocally: boolean;
  readonly recipients: AcceptedRecipient[];
  /** Opened at the first accepted recipient. */
  submission: Submission | undefined;
  /** Instead of a queue entry: the filter in front of it. */
  filter: FilteredMail | undefined;
  /** Content so far, as Postfix counts: each line with CRLF, long ones in several lines, without what was prepended. */
  contentBytes: number;
  /** Of DATA, nothing but a mailbox's `From ` lines has come. */
  isAtTop: boolean;
  /** message_size_limit was passed: the rest is read and dropped. */
  isTooLarge: boolean;
  /** A restriction asked for DISCARD. */
  isDiscarded: boolean;
  /** A restriction asked for HOLD. */
  isHeld: boolean;
  tooManyRecipients: number;
  /** What restrictions asked for before the queue entry was opened. */
  readonly waitingActions: SubmissionAction[];
  /** XVERP delimiters, or ''. */
  readonly verp: string;
  /** Unique for each mail transaction, for policy servers. */
  readonly instance: string;
}

/** What MAIL says of a transaction. */
export type NewTransaction = Pick<
  Transaction,
  | 'sender'
  | 'declaredSize'
  | 'saslSender'
  | 'encoding'
  | 'smtputf8'
  | 'requireTls'
  | 'ret'
  | 'envid'
  | 'verp'
  | 'startedAt'
  | 'rewritesLocally'
  | 'mailCommand'
>;

/** `name[address]`, as logged. */
export function clientText(client: ClientAttributes): string {
  return `${client.name}[${client.address}]`;
}

/** Stands for an address, or a port, that can't be told. */
export const unknownAddress = 'unknown';

/** Facts about a fresh connection, before any lookup. */
export function clientOf(
  socket: Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'>,
): ClientFacts {
  // a client that has reset its connection already has no address any more
  const address = socket.remoteAddress === undefined ? unknownAddress : endAddress(socket.remoteAddress);
  return {
    name: 'unknown',
    nameStatus: 'unknown',
    reverseName: 'unknown',
    reverseNameStatus: 'unknown',
    address,
    port: String(socket.remotePort ?? unknownAddress),
    heloName: '',
    protocol: '',
    connectedFrom: address,
    serverAddress: endAddress(socket.localAddress ?? ''),
    serverPort: String(socket.localPort ?? ''),
  };
}

/** As `clientOf`, for a connection whose ends are known. */
export function clientAt({ client, server }: Readonly<Record<'client' | 'server', Endpoint>>): ClientFacts {
  return clientOf({
    remoteAddress: client.address,
    remotePort: Number(client.port),
    localAddress: server.address,
    localPort: Number(server.port),
  });
}

/** A user of this machine who speaks SMTP on standard input. */
export function localClient(): ClientFacts {
  return {
    name: 'localhost',
    nameStatus: 'ok',
    reverseName: 'localhost',
    reverseNameStatus: 'ok',
    address: '127.0.0.1',
    port: '0',
    heloName: '',
    protocol: '',
    connectedFrom: '',
    serverAddress: '127.0.0.1',
    serverPort: '0',
  };
}
