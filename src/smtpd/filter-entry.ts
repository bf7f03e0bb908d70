/**
 * A session whose mail goes to a filter instead of the queue: what it passes on, and what it makes of the answers.
 * SMTPD_PROXY_README
 */
import { bytesOf } from '#message';
import { type CommandResult, replyOf } from './command-result.ts';
import { attributesOf } from './envelope.ts';
import { isForwarded } from './forwarding.ts';
import {
  createFilteredMail,
  failureReply,
  type FilteredMail,
  type ForwardedAttributes,
  loggedReply,
} from './proxy-filter/index.ts';
import { logOrigin, receivedFieldOf } from './queue-entry.ts';
import { warn } from './session-log.ts';
import type { Transaction } from './session-state.ts';
import type { Session } from './session.ts';

export function isFiltered({ settings, options }: Session): boolean {
  return settings.proxyFilter !== undefined && !options.isStandAlone;
}

/** Passes a recipient on, over a connection that is opened for the first one unless it is open. The refusal, if it is refused. */
export async function passRecipient(
  session: Session,
  transaction: Transaction,
  line: string,
): Promise<CommandResult | undefined> {
  const refused = await openFilter(session, transaction);
  const { filter } = transaction;
  if (refused !== undefined || filter === undefined) return refused;
  return (await filter.command('2', line)) ? undefined : resultOf(filter, 'none');
}

/** Connects to the filter and passes MAIL on, unless that is done. The refusal, if there is one. */
export async function openFilter(session: Session, transaction: Transaction): Promise<CommandResult | undefined> {
  if (transaction.filter !== undefined) return undefined;
  const filter = createFilter(session, transaction);
  if (filter === undefined) return undefined;
  if (!(await filter.open())) {
    filter.close();
    return resultOf(filter, 'none');
  }
  transaction.filter = filter;
  logOrigin(session, transaction, '');
  return undefined;
}

function createFilter(session: Session, transaction: Transaction): FilteredMail | undefined {
  const { proxyFilter } = session.settings;
  if (proxyFilter === undefined) return undefined;
  const attributes = forwardedAttributes(session, transaction.rewritesLocally);
  const mailCommand = transaction.requireTls ? withoutRequireTls(transaction.mailCommand) : transaction.mailCommand;
  return createFilteredMail(proxyFilter, { attributes, mailCommand }, (text) => warn(session, text));
}

/** The way to a filter is in plaintext, where REQUIRETLS can't be asked for. */
export function withoutRequireTls(mailCommand: string): string {
  const end = mailCommand.lastIndexOf('>') + 1;
  return mailCommand.slice(0, end) + mailCommand.slice(end).replaceAll(/\s+REQUIRETLS(?=\s|$)/gi, '');
}

/** Where the mail comes from: what XFORWARD said, or the client. */
function forwardedAttributes(session: Session, rewritesLocally: boolean): ForwardedAttributes {
  const { client, helo = '', protocol, forwarding } = session;
  const origin = forwarding.client ?? attributesOf(client, helo, protocol);
  const known = (value: string): string => (value === 'unknown' ? '' : value);
  return {
    NAME: known(origin.name),
    ADDR: origin.address.includes(':') ? `IPv6:${origin.address}` : known(origin.address),
    PORT: known(origin.port),
    HELO: origin.heloName,
    IDENT: forwarding.queueId,
    PROTO: origin.protocol,
    SOURCE: (forwarding.isLocal ?? rewritesLocally) ? 'LOCAL' : 'REMOTE',
  };
}

/** Begins the content: `line` is the command for it, then come the fields that we put on top. The refusal, if there is one. */
export async function beginContent(
  session: Session,
  transaction: Transaction,
  line: string,
): Promise<CommandResult | undefined> {
  const { filter } = transaction;
  if (filter === undefined) return undefined;
  if (!(await filter.command('3', line))) return resultOf(filter, 'none');
  for (const action of transaction.waitingActions.splice(0)) {
    if (action.kind === 'prepend') await filter.write(bytesOf(`${action.header}\r\n`));
  }
  // between two filters we are no station that a message goes through
  if (!isForwarded(session.forwarding)) await filter.write(receivedFieldOf(session, transaction, ''));
  if (transaction.requireTls && session.settings.requireTlsField) {
    await filter.write(Buffer.from('Require-TLS-ESMTP: yes\r\n'));
  }
  return undefined;
}

/** Ends the content, and tells the client what the filter says to it. */
export async function finishFiltered(
  session: Session,
  transaction: Transaction,
  filter: FilteredMail,
): Promise<CommandResult> {
  await filter.end();
  const isAccepted = !filter.hasFailed && filter.reply[0]?.startsWith('2') === true;
  logFilterReply(session, transaction, isAccepted ? 'accept' : 'reject');
  session.resetTransaction();
  if (isAccepted) session.exchange.forgive();
  return isAccepted ? resultOf(filter) : { ...resultOf(filter, 'policy'), isError: true };
}

/** `proxy-accept` and `proxy-reject`, with the filter's last reply. */
export function logFilterReply(session: Session, transaction: Transaction, verdict: 'accept' | 'reject'): void {
  if (transaction.filter === undefined) return;
  session.options.events.emit({
    kind: 'filtered',
    isAccepted: verdict === 'accept',
    text: loggedReply(transaction.filter.reply),
    client: session.clientText,
    where: session.where,
    queueId: '',
    sender: transaction.sender,
    recipient: transaction.recipients[0]?.address,
    protocol: session.protocol,
    helo: session.helo ?? '',
    saslUsername: session.login.user,
  });
}

/** The filter's reply as ours. One that has no code can't be passed on. `trouble`: what a refusal of its own stands for. */
function resultOf(
  { reply, hasFailed, isConfused }: FilteredMail,
  trouble?: NonNullable<CommandResult['trouble']>,
): CommandResult {
  const code = Number(/^[2-5]\d\d(?!\d)/.exec(reply[0] ?? '')?.[0]);
  const result = Number.isNaN(code) ? replyOf(failureReply) : { code, lines: reply.map((line) => line.slice(4)) };
  return trouble === undefined ? result : { ...result, trouble: hasFailed || isConfused ? 'software' : trouble };
}
