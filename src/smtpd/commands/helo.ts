/** HELO and EHLO. RFC 5321, 4.1.1.1 */
import { discardedKeywordNames, neutered } from '#smtp';
import { type CommandResult, replyOf } from '../command-result.ts';
import { checkPolicy } from '../policy-check.ts';
import { sendAway, warn } from '../session-log.ts';
import type { Session } from '../session.ts';
import { authKeywords } from '../session-login.ts';
import type { Arguments } from './index.ts';
import { ehloKeywords, offersRequireTls } from './ehlo-keywords.ts';

async function greet(session: Session, args: Arguments, protocol: 'SMTP' | 'ESMTP'): Promise<CommandResult> {
  const { settings } = session;
  const given = args.words
    .slice(1)
    .map(({ text }) => text)
    .join(' ');
  if (given === '') return replyOf(`501 Syntax: ${protocol === 'SMTP' ? 'HELO' : 'EHLO'} hostname`);
  if (!settings.delayReject) {
    const verdict = await checkPolicy(session, 'helo', { helo: given });
    // nothing has happened: the greeting before this one and its transaction still hold
    if (verdict.kind === 'reject') return replyOf(verdict.reply, verdict.hangsUp);
  }
  session.exchange.transcript.reset(settings.historyThreshold);
  session.resetTransaction();
  // a later HELO takes nothing back
  if (session.protocol !== 'ESMTP') session.protocol = protocol;
  session.helo = neutered(given, settings.smtputf8);
  return protocol === 'SMTP' ? replyOf(`250 ${settings.myhostname}`) : keywords(session);
}

async function keywords(session: Session): Promise<CommandResult> {
  const { settings } = session;
  const hasFailed = await findDiscarded(session);
  const { discarded } = session;
  const names = discardedKeywordNames(discarded);
  if (names.length > 0) session.options.events.emit({ kind: 'discardedKeywords', names });
  if (hasFailed) {
    warn(session, `don't know what EHLO features to announce to ${session.clientText}`);
    return sendAway(session);
  }
  const extensions = new Set<string>();
  // who may use XCLIENT and XFORWARD is settled already
  for (const [name, list, isSettled] of [
    ['XVERP', settings.verpClients, undefined],
    ['XCLIENT', settings.xclientHosts, session.canXclient],
    ['XFORWARD', settings.xforwardHosts, session.canXforward],
  ] as const) {
    const answer = list.isEmpty ? 'no' : await list.matches(session.client.name, session.client.address);
    if (typeof answer === 'object') {
      warn(session, `don't know if EHLO feature ${name} should be announced to ${session.clientText}`);
      return sendAway(session);
    }
    if (isSettled ?? answer === 'yes') extensions.add(name);
  }
  const offersTls = session.options.tls !== undefined && session.tls === undefined;
  return {
    code: 250,
    lines: [
      settings.myhostname,
      ...ehloKeywords(settings, {
        discarded,
        extensions,
        offersTls,
        offersRequireTls: offersRequireTls(session),
        auth: await authKeywords(session),
      }),
    ],
  };
}

/**
 * Settles which EHLO keywords this client is not told; true when the table can't be read, so that those of
 * smtpd_discard_ehlo_keywords stand in. smtpd_discard_ehlo_keyword_address_maps
 */
async function findDiscarded(session: Session): Promise<boolean> {
  const { discardedKeywordMaps, discardedKeywords } = session.settings;
  if (discardedKeywordMaps.isEmpty) return false;
  const found = await discardedKeywordMaps.lookup(session.client.address);
  // an empty result has been warned of, and stands for none
  const words = found.kind === 'found' && found.value !== '' ? found.value.toLowerCase().split(/[\s,]+/) : undefined;
  session.discarded = words === undefined ? discardedKeywords : new Set(words.filter((word) => word !== ''));
  return found.kind === 'failed';
}

export function helo(session: Session, args: Arguments): Promise<CommandResult> {
  return greet(session, args, 'SMTP');
}

export function ehlo(session: Session, args: Arguments): Promise<CommandResult> {
  return greet(session, args, 'ESMTP');
}
