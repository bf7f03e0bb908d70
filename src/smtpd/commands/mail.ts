/** MAIL FROM. RFC 5321, 4.1.1.2 */
import { thrownText } from '#native';
import { parsePath } from '#smtp';
import { isListed, provesWho, rewritesLocally } from '../access-rights.ts';
import { type CommandResult, replyOf, writeErrorReply } from '../command-result.ts';
import { checkPolicy } from '../policy-check.ts';
import { logRefusal, refuse, warn } from '../session-log.ts';
import { isFiltered, openFilter } from '../filter-entry.ts';
import { openSubmission } from '../queue-entry.ts';
import type { Session } from '../session.ts';
import { checkRoutable, refusalOfUtf8, refuseAddress } from './address-check.ts';
import type { Arguments } from './index.ts';
import { offersRequireTls } from './ehlo-keywords.ts';
import { type MailParameters, parseMailParameters } from './mail-parameters.ts';

export async function mail(session: Session, { words, line }: Arguments): Promise<CommandResult> {
  const { settings, options } = session;
  if (settings.heloRequired && session.helo === undefined) return replyOf('503 5.5.1 Error: send HELO/EHLO first');
  if (session.transaction !== undefined) return replyOf('503 5.5.1 Error: nested MAIL command');
  if (session.chunks !== 'none') return replyOf('503 5.5.1 Error: MAIL after BDAT');
  const path = parsePath(words, 'FROM', { strict: settings.strictEnvelopes });
  if (path.kind === 'syntax') return replyOf('501 5.5.4 Syntax: MAIL FROM:<address>');
  // also what comes to nothing counts
  const limited = session.limits.refusalOf('message');
  const tooMuch = limited instanceof Promise ? await limited : limited;
  if (tooMuch !== undefined) return tooMuch;
  const text = words[2]?.text ?? '';
  const refusal = { text, command: 'MAIL', reply: '501 5.1.7 Bad sender address syntax' };
  if (path.kind === 'badAddress') return refuseAddress(session, refusal, path);
  const isUtf8 = path.parameters.some((word) => word.toUpperCase() === 'SMTPUTF8');
  const unroutable = await checkRoutable(session, path.address, { ...refusal, isUtf8 });
  if (unroutable !== undefined) return unroutable;
  const parameters = readParameters(session, path.parameters, await mayUseVerp(session, path.parameters));
  if (typeof parameters === 'string') return replyOf(parameters);
  const noRoom = await refusalOfSize(session, path.address, parameters);
  if (noRoom !== undefined) return noRoom;
  if (parameters.verp !== '' && path.address === '') return replyOf('503 5.5.4 Error: XVERP requires non-null sender');
  const isLocal = await comesFromHere(session);
  if (typeof isLocal === 'string') {
    logRefusal(session, isLocal, undefined);
    return replyOf(isLocal);
  }
  session.beginTransaction({
    sender: path.address,
    rewritesLocally: isLocal,
    declaredSize: parameters.size,
    startedAt: options.now(),
    mailCommand: line,
    ...parameters,
  });
  const verdict = settings.delayReject ? undefined : await checkPolicy(session, 'mail', { instance: '' });
  const judged =
    verdict?.kind === 'reject'
      ? replyOf(verdict.reply, verdict.hangsUp)
      : refusalOfUtf8(session, path.address, parameters.smtputf8);
  const refused = judged ?? (settings.opensAtMail ? await openAtMail(session) : undefined);
  if (refused === undefined) return replyOf('250 2.1.0 Ok');
  session.resetTransaction();
  return refused;
}

/** What follows the address; a text is the refusal. What SIZE and AUTH say counts even so. */
function readParameters(session: Session, words: readonly string[], allowsVerp: boolean): MailParameters | string {
  const { settings } = session;
  return parseMailParameters(words, {
    size: session.declaredSize,
    onSize: (size) => (session.declaredSize = size),
    saslSender: session.saslSender,
    onSaslSender: (sender) => (session.saslSender = sender),
    discarded: session.discarded,
    smtputf8: settings.smtputf8,
    requireTls: offersRequireTls(session),
    xverp: allowsVerp
      ? { defaultDelimiters: settings.defaultVerpDelimiters, filter: settings.verpDelimiterFilter }
      : undefined,
  });
}

/** Whether headers are rewritten as those of local mail; the reply where that can not be told. local_header_rewrite_clients */
function comesFromHere(session: Session): ReturnType<typeof rewritesLocally> {
  const { settings, options, client, login, tls } = session;
  const facts = {
    client,
    hasLoggedIn: provesWho(login.user, login.method),
    ownAddresses: options.rewriter.ownAddresses,
    tls,
  };
  return rewritesLocally(settings.localRewriteClients, facts, (text) => warn(session, text));
}

/** smtpd_delay_open_until_valid_rcpt = no: the queue entry, or the filter, whose refusal is given. */
async function openAtMail(session: Session): Promise<CommandResult | undefined> {
  const { transaction } = session;
  if (transaction === undefined) return undefined;
  if (isFiltered(session)) return openFilter(session, transaction);
  openSubmission(session, transaction);
  return undefined;
}

/** smtpd_authorized_verp_clients, asked when it matters. */
async function mayUseVerp({ settings, client }: Session, parameters: readonly string[]): Promise<boolean> {
  return parameters.some((text) => /^xverp/i.test(text)) && isListed(settings.verpClients, client);
}

/** message_size_limit, and room for one and a half of such messages. postconf(5) queue_minfree */
async function refusalOfSize(
  session: Session,
  sender: string,
  { size }: MailParameters,
): Promise<CommandResult | undefined> {
  const { settings, options } = session;
  const { messageSizeLimit, queueMinFree } = settings;
  if (messageSizeLimit > 0 && size > messageSizeLimit) {
    return refuse(session, '552 5.3.4 Message size exceeds fixed limit', { sender });
  }
  if (messageSizeLimit === 0 && queueMinFree === 0) return undefined;
  const found = options.freeBytes();
  const free = found instanceof Promise ? await found.catch((error: unknown) => noAnswer(session, error)) : found;
  if (free === undefined) return refuse(session, writeErrorReply, { sender: undefined });
  if (queueMinFree < free && messageSizeLimit < free / 1.5) return undefined;
  // whose mail it is does not matter for it
  const refusal = refuse(session, '452 4.3.1 Insufficient system storage', { sender: undefined });
  warn(session, `not enough free space in mail queue: ${free} bytes < 1.5*message size limit`);
  return refusal;
}

/** A disk that fails gives no answer: the mail would not be kept either. */
function noAnswer(session: Session, error: unknown): undefined {
  const reason = thrownText(error);
  warn(session, `cannot tell how much space is free in mail queue: ${reason}`);
}
