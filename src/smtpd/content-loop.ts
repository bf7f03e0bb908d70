/** DATA and BDAT: content from the wire into the queue, up to the reply that tells whose it is now. RFC 5321, 4.1.1.4; RFC 3030 */
import { type MaybePromise, printable, type Submission, type SubmissionResult } from '#message';
import { ContentGarbage } from '#native';
import { type CommandResult, type ContentOrder, replyOf, writeErrorReply } from './command-result.ts';
import { writeContent } from './content.ts';
import { finishFiltered, logFilterReply } from './filter-entry.ts';
import { checkPolicy } from './policy-check.ts';
import type { FilteredMail } from './proxy-filter/index.ts';
import { logRefusal, warn } from './session-log.ts';
import type { Transaction } from './session-state.ts';
import type { Session } from './session.ts';

/** Where content goes; without one it is read and thrown away. */
interface ContentSink {
  readonly transaction: Transaction;
  readonly target: Submission | FilteredMail;
}

/** What is read and does not go into the queue, which counts its own. */
const unqueued = new ContentGarbage();

/** Reads what a command announced. The reply; undefined when the session is over, or the reply has been given. */
export async function receiveContent(
  session: Session,
  result: CommandResult,
  order: ContentOrder,
): Promise<CommandResult | undefined> {
  const { transaction, exchange } = session;
  const target = transaction?.submission ?? transaction?.filter;
  const refusal = order.kind === 'chunk' ? order.refusal : undefined;
  const sink =
    refusal === undefined && transaction !== undefined && target !== undefined ? { transaction, target } : undefined;
  session.tellsBytes = refusal === undefined;
  if (order.kind === 'data') {
    exchange.replies.sayPlain(result.code, result.lines);
    exchange.replies.flushSoon();
    exchange.reader.beginData(session.rights.bareNewline);
  } else {
    const place = session.chunks === 'none' ? 'first' : 'later';
    exchange.reader.beginChunk(order.sizeBytes, session.rights.bareNewline, place);
    // Postfix takes the first lines of chunks as they are
    if (transaction !== undefined) transaction.isAtTop = false;
  }
  exchange.input.beginRequest('content');
  if (!(await takeContent(session, sink))) return undefined;
  return order.kind === 'data' ? afterData(session, sink) : afterChunk(session, result, order, sink);
}

/** Reads content up to its end. False: the client went away. */
async function takeContent(session: Session, sink: ContentSink | undefined): Promise<boolean> {
  const { exchange } = session;
  // what has come goes on in one piece: odd lines come one by one, and a buffer for two bytes takes a hundred
  let gathered: Buffer[] = [];
  for (;;) {
    let piece = exchange.reader.next();
    if (piece?.kind !== 'content') {
      const passed = passOn(session, sink, gathered);
      if (passed instanceof Promise) await passed;
      gathered = [];
      piece ??= await exchange.nextPiece();
      if (exchange.isOver) return false;
    }
    if (piece?.kind !== 'content') {
      if (piece !== undefined) return true;
    } else if (hasRefusedLine(session)) unqueued.add(piece.bytes.length);
    else gathered.push(piece.bytes);
  }
}

/** Whether a bare newline came that refuses the message. Nothing from its line on is passed on, or read for the log. */
function hasRefusedLine({ exchange, rights }: Session): boolean {
  return rights.bareNewline === 'reject' && exchange.reader.sawBareLf;
}

function passOn(session: Session, sink: ContentSink | undefined, pieces: readonly Buffer[]): MaybePromise<void> {
  const [first, ...more] = pieces;
  if (first === undefined) return undefined;
  if (sink === undefined || sink.transaction.isTooLarge || !('queueId' in sink.target))
    for (const { length } of pieces) unqueued.add(length);
  if (sink === undefined) return undefined;
  const wait = write(session, sink, more.length === 0 ? first : Buffer.concat(pieces));
  if (!(wait instanceof Promise)) return undefined;
  const { input } = session.exchange;
  input.pause();
  return wait.then(() => input.resume());
}

function write(session: Session, { transaction, target }: ContentSink, bytes: Buffer): MaybePromise<void> {
  return writeContent(transaction, target, bytes, {
    messageSizeLimit: session.settings.messageSizeLimit,
    cutBytes: session.exchange.reader.takeCutBytes(),
    onTooLarge: () => warn(session, `${session.queueId || 'NOQUEUE'}: queue file size limit exceeded`),
  });
}

async function afterData(session: Session, sink: ContentSink | undefined): Promise<CommandResult | undefined> {
  const { reader } = session.exchange;
  const { bareNewline } = session.rights;
  if (reader.sawBareLf && bareNewline === 'note') session.sawBareLf = true;
  session.where = 'END-OF-MESSAGE';
  if (hasRefusedLine(session)) {
    await refuseBareNewline(session, false);
    if (sink !== undefined) logFilterReply(session, sink.transaction, 'reject');
    session.resetTransaction();
    return undefined;
  }
  return sink === undefined ? replyOf(writeErrorReply) : finish(session, sink, false);
}

async function afterChunk(
  session: Session,
  result: CommandResult,
  { isLast, refusal }: ContentOrder & { readonly kind: 'chunk' },
  sink: ContentSink | undefined,
): Promise<CommandResult | undefined> {
  const { bareNewline } = session.rights;
  const hasBareLf = refusal === undefined && session.exchange.reader.sawBareLf;
  if (hasBareLf && bareNewline === 'note') session.sawBareLf = true;
  const isRefused = refusal === undefined && hasRefusedLine(session);
  session.chunks = refusal === undefined && !isRefused ? 'taken' : 'refused';
  if (isLast) {
    const rest = session.exchange.reader.endChunks();
    if (sink !== undefined && !isRefused) await write(session, sink, rest);
    if (refusal === undefined) session.where = 'END-OF-MESSAGE';
  }
  if (isRefused) {
    if (!isLast) session.where = 'BDAT content';
    await refuseBareNewline(session, false);
    if (isLast) session.resetTransaction();
    return undefined;
  }
  if (refusal !== undefined || sink === undefined) {
    if (isLast) session.resetTransaction();
    return refusal ?? replyOf(writeErrorReply);
  }
  return isLast ? finish(session, sink, true) : result;
}

/** End of data: the size, the last restrictions, the commit; then the transaction is over. */
async function finish(
  session: Session,
  { transaction, target }: ContentSink,
  isChunked: boolean,
): Promise<CommandResult> {
  const refusal = await refusalOfMessage(session, transaction);
  if (refusal !== undefined) {
    if (transaction.isTooLarge) logFilterReply(session, transaction, 'reject');
    session.resetTransaction();
    return refusal;
  }
  if (!('queueId' in target)) return finishFiltered(session, transaction, target);
  const outcome = await target.end();
  transaction.submission = undefined;
  session.resetTransaction();
  if (outcome.kind === 'refused') {
    const { code, dsn, text, isRuleText } = outcome;
    // a header may be quoted in it
    const shown = isRuleText ? printable(text, ' ', session.settings.smtputf8) : `Error: ${text}`;
    return replyOf(`${code} ${dsn} ${shown}`);
  }
  session.exchange.forgive();
  return queuedReply(outcome, isChunked ? transaction.contentBytes : undefined);
}

async function refusalOfMessage(session: Session, { isTooLarge }: Transaction): Promise<CommandResult | undefined> {
  if (isTooLarge) return replyOf('552 5.3.4 Error: message file too big');
  const verdict = await checkPolicy(session, 'endOfData');
  return verdict.kind === 'reject' ? replyOf(verdict.reply, verdict.hangsUp) : undefined;
}

function queuedReply(
  { queueId }: SubmissionResult & { readonly kind: 'queued' },
  bytes: number | undefined,
): CommandResult {
  return replyOf(
    bytes === undefined ? `250 2.0.0 Ok: queued as ${queueId}` : `250 2.0.0 Ok: ${bytes} bytes queued as ${queueId}`,
  );
}

/** smtpd_forbid_bare_newline = reject */
export async function refuseBareNewline(session: Session, isFinal: boolean): Promise<void> {
  const { bareNewlineRejectCode, myhostname } = session.settings;
  logRefusal(session, 'bare <LF> received', session.transaction?.sender);
  await session.exchange.answer(
    replyOf(`${bareNewlineRejectCode} 5.5.2 ${myhostname} Error: bare <LF> received`, isFinal),
  );
}
