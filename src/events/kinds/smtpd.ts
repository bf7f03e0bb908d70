/** Events of the SMTP server. smtpd(8) */
import type { Renderings, ShownAddress } from '../event.ts';

/** What stands in the tail of a reject line. */
export interface SessionTail {
  /** `name[address]`. */
  readonly client: string;
  /** CONNECT, EHLO, MAIL, RCPT, DATA, END-OF-MESSAGE … */
  readonly where: string;
  readonly queueId: string;
  /** Undefined: not given yet. */
  readonly sender?: string | undefined;
  readonly recipient?: string | undefined;
  readonly protocol: string;
  readonly helo: string;
  /** '' or absent: nobody has logged in. */
  readonly saslMethod?: string | undefined;
  readonly saslUsername?: string | undefined;
  /** AUTH= of MAIL, if there was one. */
  readonly saslSender?: string | undefined;
}

export type PolicyWord =
  | 'reject'
  | 'reject_warning'
  | 'warn'
  | 'info'
  | 'permit'
  | 'hold'
  | 'discard'
  | 'filter'
  | 'redirect'
  | 'bcc'
  | 'prepend'
  | 'hangup';

export type SmtpdEvent =
  | { readonly kind: 'connected'; readonly client: string }
  | { readonly kind: 'disconnected'; readonly client: string; readonly counters: string }
  | { readonly kind: 'client'; readonly queueId: string; readonly client: string; readonly extra: string }
  /** What a restriction decided; `text`: the reply or the action's text. */
  | ({ readonly kind: 'policy'; readonly word: PolicyWord; readonly text: string } & SessionTail)
  /** A client that was sent away because a table can't be read. */
  | {
      readonly kind: 'sentAway';
      readonly queueId: string;
      readonly where: string;
      readonly client: string;
      readonly text: string;
    }
  /** `after`: the command, and in content how much of it came: `DATA (12 bytes)`. */
  | {
      readonly kind: 'lost';
      readonly queueId: string;
      readonly client: string;
      readonly after: string;
      readonly how: 'lost connection' | 'timeout' | 'too many errors';
    }
  /** What came of a message at the filter in front of the queue; `text`: the reply. */
  | ({ readonly kind: 'filtered'; readonly isAccepted: boolean; readonly text: string } & SessionTail)
  | { readonly kind: 'discardedKeywords'; readonly names: readonly string[] }
  /** smtpd_reject_filter_maps changed a reply: what it was, and what it is. */
  | { readonly kind: 'replyFilter'; readonly queueId: string; readonly side: 'in' | 'out'; readonly text: string }
  /** A peak that anvil(8) has seen. `client`: `service:address`. */
  | {
      readonly kind: 'statistics';
      readonly name: string;
      readonly figure: string;
      readonly client?: string;
      readonly at: number;
    }
  | { readonly kind: 'pipelining'; readonly client: string; readonly after: string; readonly text: string };

const idOf = ({ queueId }: { readonly queueId: string }): string => (queueId === '' ? 'NOQUEUE' : queueId);

/** `Nov  1 00:00:00`: ctime(3) without weekday and year. */
function statisticsTime(at: number): string {
  const date = new Date(at);
  const [, month = ''] = date.toDateString().split(' ');
  return `${month} ${String(date.getDate()).padStart(2, ' ')} ${date.toTimeString().slice(0, 8)}`;
}

/** What is known of a session; `login`: as much of its login as is told there. */
function tail(event: SessionTail, shown: ShownAddress, login = loginTail(event)): string {
  const sender = event.sender === undefined ? '' : ` from=<${shown(event.sender)}>`;
  const recipient = event.recipient === undefined ? '' : ` to=<${shown(event.recipient)}>`;
  const protocol = event.protocol === '' ? '' : ` proto=${event.protocol}`;
  const helo = event.helo === '' ? '' : ` helo=<${event.helo}>`;
  const all = `${sender}${recipient}${protocol}${helo}${login}`;
  return all === '' ? '' : `;${all}`;
}

function loginTail({ saslMethod = '', saslUsername = '', saslSender }: SessionTail): string {
  const login = saslUsername === '' ? '' : ` sasl_method=${saslMethod} sasl_username=${saslUsername}`;
  return saslSender === undefined ? login : `${login} sasl_sender=${saslSender}`;
}

/** Lines about filters have it otherwise. */
function loginOfFiltered({ saslUsername = '' }: SessionTail): string {
  return saslUsername === '' ? '' : ` sasl_username=<${saslUsername}>`;
}

export const smtpdRenderings: Renderings<SmtpdEvent> = {
  connected: (event) => `connect from ${event.client}`,
  disconnected: (event) => `disconnect from ${event.client}${event.counters}`,
  client: (event) => `${idOf(event)}: client=${event.client}${event.extra}`,
  policy: (event, shown) =>
    `${idOf(event)}: ${event.word}: ${event.where} from ${event.client}: ${event.text}${tail(event, shown)}`,
  sentAway: (event) => `${idOf(event)}: reject: ${event.where} from ${event.client}: ${event.text}`,
  lost: (event) => `${idOf(event)}: ${event.how} after ${event.after} from ${event.client}`,
  filtered: (event, shown) =>
    `proxy-${event.isAccepted ? 'accept' : 'reject'}: ${event.where}: ${event.text}${tail(event, shown, loginOfFiltered(event))}`,
  discardedKeywords: (event) => `discarding EHLO keywords: ${event.names.join(', ')}`,
  replyFilter: (event) => `${idOf(event)}: reply filter ${event.side}: ${event.text}`,
  statistics: (event) =>
    `statistics: ${event.name} ${event.figure}${event.client === undefined ? '' : ` for (${event.client})`} at ${statisticsTime(event.at)}`,
  pipelining: (event) => `improper command pipelining after ${event.after} from ${event.client}: ${event.text}`,
};
