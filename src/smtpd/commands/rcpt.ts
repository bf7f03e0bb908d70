/** RCPT TO. RFC 5321, 4.1.1.3 */
import { parsePath } from '#smtp';
import { type CommandResult, replyOf } from '../command-result.ts';
import { isFiltered, passRecipient } from '../filter-entry.ts';
import { checkPolicy } from '../policy-check.ts';
import { openSubmission } from '../queue-entry.ts';
import { warn } from '../session-log.ts';
import type { Session } from '../session.ts';
import { checkRoutable, refusalOfUtf8, refuseAddress } from './address-check.ts';
import type { Arguments } from './index.ts';
import { parseRecipientParameters } from './mail-parameters.ts';

export async function rcpt(session: Session, { words, line }: Arguments): Promise<CommandResult> {
  const { settings, transaction } = session;
  if (transaction === undefined) return replyOf('503 5.5.1 Error: need MAIL command');
  if (session.chunks !== 'none') return replyOf('503 5.5.1 Error: RCPT after BDAT');
  const path = parsePath(words, 'TO', { strict: settings.strictEnvelopes });
  if (path.kind === 'syntax') return replyOf('501 5.5.4 Syntax: RCPT TO:<address>');
  // also what comes to nothing counts
  const limited = session.limits.refusalOf('recipient');
  const tooMuch = limited instanceof Promise ? await limited : limited;
  if (tooMuch !== undefined) return tooMuch;
  const text = words[2]?.text ?? '';
  const refusal = { text, command: 'RCPT', reply: '501 5.1.3 Bad recipient address syntax' };
  if (path.kind === 'badAddress') return refuseAddress(session, refusal, path);
  if (path.address === '') return refuseAddress(session, refusal);
  const unroutable = checkRoutable(session, path.address, { ...refusal, isUtf8: transaction.smtputf8 });
  const bad = unroutable instanceof Promise ? await unroutable : unroutable;
  if (bad !== undefined) return bad;
  const parameters = parseRecipientParameters(path.parameters, {
    discarded: session.discarded,
    warn: (warning) => warn(session, warning),
  });
  if (typeof parameters === 'string') return replyOf(parameters);
  if (transaction.recipients.length >= settings.recipientLimit) {
    transaction.tooManyRecipients += 1;
    const isError = transaction.tooManyRecipients > settings.recipientOvershootLimit;
    return { ...replyOf('452 4.5.3 Error: too many recipients'), isError };
  }
  const undeclared = refusalOfUtf8(session, path.address, transaction.smtputf8);
  if (undeclared !== undefined) return undeclared;
  // whoever asks about the sender of our own probes is not asked back: both would wait for each other
  const probeSender = session.options.isStandAlone ? undefined : session.options.probeSender?.(path.address);
  if (probeSender === undefined) {
    const verdict = await checkPolicy(session, 'rcpt', { recipient: path.address });
    if (verdict.kind === 'reject') return replyOf(verdict.reply, verdict.hangsUp);
  }
  if (isFiltered(session)) {
    const refused = await passRecipient(session, transaction, line);
    if (refused !== undefined) return refused;
  }
  const address = probeSender ?? path.address;
  // RFC 3461, 5.2.1: what the client did not name is what it wrote
  const dsnOriginal =
    parameters.dsnOriginal || `rfc822;${text.startsWith('<') && text.endsWith('>') ? text.slice(1, -1) : text}`;
  const recipient = { address, ...parameters, dsnOriginal };
  transaction.recipients.push(recipient);
  if (transaction.filter === undefined) {
    void openSubmission(session, transaction).addRecipient({ ...recipient, original: address });
  }
  return replyOf('250 2.1.5 Ok');
}
