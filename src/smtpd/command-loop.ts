/** Commands one after the other: each is read, looked over, looked up, run and answered. RFC 5321, 4.1; smtpd(8) */
import { isUtf8 } from 'node:buffer';
import { bytesOf, type MaybePromise, textOf, whenReady } from '#message';
import { type CommandWord, escapedText, type Framed, isHeaderName, splitCommand } from '#smtp';
import type { MatchList } from '#tables';
import { type CommandResult, isErrorResult, replyOf } from './command-result.ts';
import { type Arguments, findVerb, unknownVerb, type Verb } from './commands/index.ts';
import { allowedBeforeTls, secureSession } from './commands/starttls.ts';
import { receiveContent, refuseBareNewline } from './content-loop.ts';
import { beginLogin } from './session-login.ts';
import { logLost, sendAway, warn } from './session-log.ts';
import type { Session } from './session.ts';

const CR = 0x0d;

type FramedLine = Framed & { readonly kind: 'line' };

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
  const found = exchange.nextPiece();
  const piece = found instanceof Promise ? await found : found;
  if (piece?.kind !== 'line' && piece?.kind !== 'longLine') return;
  const whole = textOf(piece.text);
  exchange.transcript.heard(withoutSecret(whole));
  const answered = piece.kind === 'line' ? onLine(session, whole, piece) : onLongLine(session, piece.text);
  if (answered instanceof Promise) await answered;
}

/** The initial response of a login is a password for whoever reads the transcript. RFC 4954, 4 */
function withoutSecret(line: string): string {
  return /^\s*AUTH\s/i.test(line) ? line.replace(/^(\s*AUTH\s+\S+\s+)\S.*$/is, '$1(not shown)') : line;
}

/** Where lines may end in any way, all CRs before the LF belong to the end. */
function withoutCrs(line: Buffer): Buffer {
  let end = line.length;
  while (end > 0 && line[end - 1] === CR) end -= 1;
  return end === line.length ? line : line.subarray(0, end);
}

function onLongLine(session: Session, text: Buffer): MaybePromise<void> {
  const { settings, clientText } = session;
  warn(session, `${clientText}: request longer than ${settings.lineLengthLimit}: ${text.toString('utf8', 0, 30)}...`);
  return session.exchange.answer(replyOf(`500 5.5.2 ${settings.myhostname} Error: command too long`));
}

/** `whole`: the text of the line. */
function onLine(session: Session, whole: string, { text, hasBareLf }: FramedLine): MaybePromise<void> {
  const { settings, exchange } = session;
  if (session.farewell !== undefined) return exchange.end(replyOf(session.farewell));
  if (hasBareLf && session.rights.bareNewline === 'note') session.sawBareLf = true;
  if (hasBareLf && session.rights.bareNewline === 'reject') return refuseBareNewline(session, true);
  const bytes = session.rights.bareNewline === 'no' ? withoutCrs(text) : text;
  const line = bytes === text ? whole : textOf(bytes);
  // as in a C string, nothing is behind a null character
  const received = line.includes('\0') ? line.slice(0, line.indexOf('\0')) : line;
  if (settings.commandFilter.isEmpty) return obey(session, received, bytes);
  return filtered(session, received).then((other) =>
    other === undefined
      ? exchange.end(sendAway(session))
      : obey(session, other, other === received ? bytes : bytesOf(other)),
  );
}

/** Does what a line asks for; `bytes`: as they came. */
function obey(session: Session, line: string, bytes: Buffer): MaybePromise<void> {
  const { settings, exchange } = session;
  if (settings.smtputf8 && !isUtf8(bytes)) {
    return exchange.answer(replyOf('500 5.5.2 Error: bad UTF-8 syntax'));
  }
  const words = splitCommand(line);
  const name = words[0]?.text;
  if (name === undefined) return exchange.answer(replyOf('500 5.5.2 Error: bad syntax'));
  const command: Command = { verb: findVerb(name) ?? unknownVerb, words, line };
  return whenReady(isWord(settings.noopCommands, name), (isNoop) => {
    if (isNoop) {
      exchange.countJunk();
      return exchange.answer(replyOf('250 2.0.0 Ok'));
    }
    session.counters.begin(command.verb.name.toLowerCase());
    if (command.verb !== unknownVerb) return attempt(session, command);
    session.where = 'UNKNOWN';
    session.tellsBytes = false;
    return whenReady(isHeaderName(name) || isWord(settings.forbiddenCommands, name), (isForeign) =>
      isForeign ? endForeign(session, bytes) : attempt(session, command),
    );
  });
}

interface Command {
  readonly verb: Verb;
  readonly words: readonly CommandWord[];
  readonly line: string;
}

/** Runs a command, unless the state of the session is against it. */
function attempt(session: Session, { verb, words, line }: Command): MaybePromise<void> {
  const { exchange } = session;
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
  const args: Arguments = { words, rest: line.trimStart().slice(verb.name.length).trim(), line };
  return whenReady(verb.run(session, args), (result) => finish(session, verb, result));
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

/** Sees to what a command came to: to the content that it announced, and to the reply. */
function finish(session: Session, verb: Verb, result: CommandResult): MaybePromise<void> {
  if (verb.isJunk) session.exchange.countJunk();
  if (result.restarts === true) {
    session.exchange.transcript.reset(0);
    return session.greet();
  }
  if (result.content === undefined) return answer(session, verb, result);
  return receiveContent(session, result, result.content).then((reply) =>
    reply === undefined ? undefined : answer(session, verb, reply),
  );
}

function answer(session: Session, verb: Verb, result: CommandResult): MaybePromise<void> {
  if (result.startsTls === true) return secure(session, verb, result);
  if (!isErrorResult(result)) session.counters.succeed(verb.name.toLowerCase());
  const told = session.exchange.answer(result);
  if (!endsChapter.has(verb.name)) return told;
  return whenReady(told, () => session.exchange.transcript.reset(session.settings.historyThreshold));
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

function isWord(list: MatchList, name: string): MaybePromise<boolean> {
  return list.isEmpty ? false : whenReady(list.matches(name), (answer) => answer === 'yes');
}
