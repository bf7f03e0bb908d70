/** Lines that a session logs about itself: a client that went away, a refusal, a limit. smtpd(8) */
import { type CommandResult, replyOf } from './command-result.ts';
import type { Session } from './session.ts';

export function warn(session: Session, text: string): void {
  session.options.events.emit({ kind: 'warning', text });
}

/** `lost connection after RCPT from …`; how far the content came, if it was on its way. */
export function logLost(session: Session, how: 'lost connection' | 'timeout' | 'too many errors'): void {
  const { where, transaction } = session;
  session.exchange.transcript.reason = how;
  if (where === 'END-OF-MESSAGE' && how === 'lost connection') return;
  // a line of DATA counts when its end is here, a chunk byte by byte
  const waiting = where === 'BDAT' ? session.exchange.reader.unfinishedBytes : 0;
  const isContent = session.tellsBytes && where !== 'END-OF-MESSAGE';
  const after = isContent ? `${where} (${(transaction?.contentBytes ?? 0) + waiting} bytes)` : where;
  session.options.events.emit({ kind: 'lost', queueId: session.queueId, client: session.clientText, after, how });
}

/** `reject: …`, with the envelope as far as it is known. */
export function logRefusal(session: Session, text: string, sender: string | undefined): void {
  session.options.events.emit({
    kind: 'policy',
    word: 'reject',
    text,
    client: session.clientText,
    where: session.where,
    queueId: session.queueId,
    sender,
    recipient: session.transaction?.recipients[0]?.address,
    protocol: session.protocol,
    helo: session.helo ?? '',
    saslMethod: session.login.method,
    saslUsername: session.login.user,
    saslSender: session.transaction?.saslSender,
  });
}

/** The end of a session that can't go on without what a table would have said; logged. */
export function sendAway(session: Session): CommandResult {
  const { queueId, where, clientText: client } = session;
  const text = `421 4.3.0 ${session.settings.myhostname} Server local data error`;
  session.options.events.emit({ kind: 'sentAway', queueId, where, client, text });
  return replyOf(text, true);
}

/** Logs a refusal and gives its reply. */
export function refuse(
  session: Session,
  reply: string,
  { sender }: { readonly sender: string | undefined },
): CommandResult {
  // the reply is made soft on its way out
  logRefusal(session, session.settings.softBounce ? reply.replace(/^5(\d\d) 5\./, '4$1 4.') : reply, sender);
  return replyOf(reply);
}
