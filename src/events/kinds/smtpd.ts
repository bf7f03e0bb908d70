/** Events of the SMTP server. smtpd(8), inventory j.2 */
import { toExternal } from '#address';
import type { Renderings } from '../event.ts';

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
  readonly saslMethod?: string | undefined;
  readonly saslUsername?: string | undefined;
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
  | {
      readonly kind: 'lost';
      readonly client: string;
      readonly after: string;
      readonly how: 'lost connection' | 'timeout' | 'too many errors';
    }
  | { readonly kind: 'pipelining'; readonly client: string; readonly after: string; readonly text: string };

function tail(event: SessionTail): string {
  const sender = event.sender === undefined ? '' : ` from=<${toExternal(event.sender)}>`;
  const recipient = event.recipient === undefined ? '' : ` to=<${toExternal(event.recipient)}>`;
  const protocol = event.protocol === '' ? '' : ` proto=${event.protocol}`;
  const helo = event.helo === '' ? '' : ` helo=<${event.helo}>`;
  const all = `${sender}${recipient}${protocol}${helo}`;
  return all === '' ? '' : `;${all}`;
}

export const smtpdRenderings: Renderings<SmtpdEvent> = {
  connected: (event) => `connect from ${event.client}`,
  disconnected: (event) => `disconnect from ${event.client}${event.counters}`,
  client: (event) => `${event.queueId}: client=${event.client}${event.extra}`,
  policy: (event) =>
    `${event.queueId === '' ? 'NOQUEUE' : event.queueId}: ${event.word}: ${event.where} from ${event.client}: ${event.text}${tail(event)}`,
  lost: (event) => `${event.how} after ${event.after} from ${event.client}`,
  pipelining: (event) => `improper command pipelining after ${event.after} from ${event.client}: ${event.text}`,
};
