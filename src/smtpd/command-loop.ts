/** Commands one after the other: each is read, looked over, looked up, run and answered. RFC 5321, 4.1; smtpd(8) */
import type { MaybePromise } from '#message';
import { type CommandWord, escapedText, isHeaderName, splitCommand } from '#smtp';
import { type CommandResult, isErrorResult, replyOf } from './command-result.ts';
import { type Arguments, findVerb, unknownVerb, type Verb } from './commands/index.ts';
import { allowedBeforeTls, secureSession } from './commands/starttls.ts';
import { receiveContent, refuseBareNewline } from './content-loop.ts';
import { beginLogin } from './session-login.ts';
import { logLost, sendAway, warn } from './session-log.ts';
import type { Session } from './session.ts';

const CR = 0x0d;

/** Reads a command and answers it; or finds that the session is over. */
export async function nextCommand(session: Session): Promise<void> {
  const { settings, exchange } = session;
  if (exchange.hasTooManyErrors) {
    logLost(session, 'too many errors');
    return exchange.end(replyOf(`421 4.7.0 ${settings.myhostname} Error: too many errors`));
  }
  if (session.isDraining && session.transaction === undefined) {
    return exchange.end(replyOf(`421 4.3.2 ${settings.myhostname} Service shutting down`));
  }
  exchange.input.beginRequest('command');
  const piece = await exchange.nextPiece();
  if (piece?.kind !== 'line' && piece?.kind !== 'longLine') return;
  const whole = piece.text.toString('utf8');
  exchange.transcript.heard(withoutSecret(whole));
  if (piece.kind === 'longLine') return onLongLine(session, piece.text);
  if (session.rights.bareNewline !== 'no') return onLine(session, whole, piece.text, piece.hasBareLf);
  const bytes = withoutCrs(piece.text);
  return onLine(session, bytes.toString('utf8'), bytes, piece.hasBareLf);
}

/** The initial response of a login is a password for whoever reads the transcript. RFC 4954, 4 */
function withoutSecret(line: string): string {
  return /^\s*AUTH\s/i.test(line) ? line.replace(/^(\s*AUTH\s+\S+\s+)\S.*$/is, '$1(not shown)') : line;
}

/** Where lines may end in any way, all CRs before the LF belong to the end. */
function withoutCrs(line: Buffer): Buffer {
  let end = line.length;
  while (end > 0 && line[end - 1] === CR) end -= 1;
  return line.subarray(0, end);
}

function onLongLine(session: Session, text: Buffer): Promise<void> {
  const { settings, clientText } = session;
  warn(session, `${clientText}: request longer than ${settings.lineLengthLimit}: ${text.toString('utf8', 0, 30)}...`);
  return session.exchange.answer(replyOf(`500 5.5.2 ${settings.myhostname} Error: command too long`));
}

async function onLine(session: Session, whole: string, bytes: Buffer, hasBareLf: boolean): Promise<void> {
  const { settings, exchange } = session;
  if (session.farewell !== undefined) return exchange.end(replyOf(session.farewell));
  if (hasBareLf && session.rights.bareNewline === 'note') session.sawBareLf = true;
  if (hasBareLf && session.rights.bareNewline === 'reject') return refuseBareNewline(session, true);
  // as in a C string, nothing is behind a null character
  const received = whole.includes('\0') ? whole.slice(0, whole.indexOf('\0')) : whole;
  const line = settings.commandFilter.isEmpty ? received : await filtered(session, received);
  if (line === undefined) return exchange.end(sendAway(session));
  if (settings.smtputf8 && line.includes('\uFFFD') && !bytes.includes('\uFFFD')) {
    return exchange.answer(replyOf('500 5.5.2 Error: bad UTF-8 syntax'));
  }
  const words = splitCommand(line);
  const name = words[0]?.text;
  if (name === undefined) return exchange.answer(replyOf('500 5.5.2 Error: bad syntax'));
  if (!settings.noopCommands.isEmpty && (await isWord(settings.noopCommands, name))) {
    exchange.countJunk();
    return exchange.answer(replyOf('250 2.0.0 Ok'));
  }
  const verb = findVerb(name) ?? unknownVerb;
  session.counters.begin(verb.name.toLowerCase());
  if (verb === unknownVerb) {
    session.where = 'UNKNOWN';
    session.tellsBytes = false;
    if (isHeaderName(name) || (await isWord(settings.forbiddenCommands, name)))
      return endForeign(session, line === received ? bytes : Buffer.from(line));
  }
  if (session.accessDenied && verb.name !== 'QUIT') {
    return exchange.answer(replyOf(`503 5.7.0 Error: access denied for ${session.clientText}`));
  }
  session.where = verb.name;
  session.tellsBytes = false;
  const needsTls = verb !== unknownVerb && !allowedBeforeTls.has(verb.name);
  if (needsTls && session.options.tls?.isDemanded === true && session.tls === undefined) {
    return exchange.answer(replyOf('530 5.7.0 Must issue a STARTTLS command first'));
  }
  const mustWait = verb !== unknownVerb && (session.protocol !== 'ESMTP' || verb.endsGroup);
  if (mustWait && exchange.isOutOfStep(verb.name)) {
    return exchange.endOutOfStep();
  }
  await run(session, verb, words, line);
}

/** smtpd_command_filter; undefined when it can't be read. */
async function filtered(session: Session, line: string): Promise<string | undefined> {
  const found = await session.settings.commandFilter.lookup(line);
  switch (found.kind) {
    case 'found': {
      const change = `replacing command "${line.slice(0, 100)}" with "${found.value.slice(0, 100)}"`;
      session.options.events.emit({ kind: 'note', text: `${session.clientText}: ${change}` });
      return found.value;
    }
    case 'missing':
      return line;
    case 'failed':
      return undefined;
  }
}

async function run(session: Session, verb: Verb, words: readonly CommandWord[], line: string): Promise<void> {
  const args: Arguments = { words, rest: line.trimStart().slice(verb.name.length).trim(), line };
  const ran = verb.run(session, args);
  const first = ran instanceof Promise ? await ran : ran;
  if (verb.isJunk) session.exchange.countJunk();
  if (first.restarts === true) {
    session.exchange.transcript.reset(0);
    return session.greet();
  }
  const result = first.content === undefined ? first : await receiveContent(session, first, first.content);
  if (result === undefined) return;
  if (result.startsTls === true) return secure(session, verb, result);
  if (!isErrorResult(result)) session.counters.succeed(verb.name.toLowerCase());
  await session.exchange.answer(result);
  if (endsChapter.has(verb.name)) session.exchange.transcript.reset(session.settings.historyThreshold);
}

/** The handshake after a command; the command has succeeded when the handshake has. */
async function secure(session: Session, verb: Verb, result: CommandResult): Promise<void> {
  await session.exchange.answer(result);
  session.forgetGreeting();
  if (!(await secureSession(session))) return;
  session.counters.succeed(verb.name.toLowerCase());
  await beginLogin(session);
}

/**
 * Commands after whose reply what was said may be forgotten; HELO, EHLO and RSET see to it themselves, before theirs.
 * smtpd_history_flush_threshold
 */
const endsChapter: ReadonlySet<string> = new Set(['DATA', 'BDAT']);

/** HTTP and the like: told off and cut. smtpd_forbidden_commands */
function endForeign(session: Session, line: Buffer): Promise<void> {
  const text = escapedText(line).slice(0, 100);
  warn(session, `non-SMTP command from ${session.clientText}: ${text}`);
  return session.exchange.end(replyOf('221 2.7.0 Error: I can break rules, too. Goodbye.'));
}

async function isWord(list: { matches(key: string): MaybePromise<unknown> }, name: string): Promise<boolean> {
  return (await list.matches(name)) === 'yes';
}
