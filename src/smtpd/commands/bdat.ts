/** BDAT. RFC 3030 */
import { type CommandResult, replyOf } from '../command-result.ts';
import { checkPolicy } from '../policy-check.ts';
import { warn } from '../session-log.ts';
import { beginContent } from '../filter-entry.ts';
import type { Session } from '../session.ts';
import type { Arguments } from './index.ts';

const maxShown = 100;

export async function bdat(session: Session, { words, rest }: Arguments): Promise<CommandResult> {
  if (session.discarded.has('chunking')) return replyOf('521 5.5.1 Error: command not implemented', true);
  const [, count, last, ...more] = words.map(({ text }) => text);
  const isLast = last?.toUpperCase() === 'LAST';
  // what follows is content, of a length nobody knows: the session can't go on
  if (count === undefined || !/^\d{1,15}$/.test(count) || (last !== undefined && !isLast) || more.length > 0) {
    const where = session.queueId || 'NOQUEUE';
    warn(
      session,
      `${where}: malformed BDAT command syntax from ${session.clientText}: ${`BDAT ${rest}`.trimEnd().slice(0, maxShown)}`,
    );
    return replyOf('521 5.5.4 Syntax: BDAT count [LAST]', true);
  }
  const sizeBytes = Number(count);
  const taken = replyOf(`250 2.0.0 Ok: ${sizeBytes} bytes`);
  const refusal = await refusalOfChunk(session, sizeBytes, isLast);
  return { ...taken, content: { kind: 'chunk', sizeBytes, isLast, ...(refusal === undefined ? {} : { refusal }) } };
}

/** A refused chunk is still read. */
async function refusalOfChunk(
  session: Session,
  sizeBytes: number,
  isLast: boolean,
): Promise<CommandResult | undefined> {
  const { transaction } = session;
  // empty chunks could go on for ever
  if (sizeBytes === 0 && !isLast) {
    warn(session, `${session.queueId || 'NOQUEUE'}: null BDAT request from ${session.clientText}`);
    return replyOf('551 5.7.1 Null BDAT request');
  }
  if (session.chunks === 'refused') return replyOf(`551 5.0.0 Discarded ${sizeBytes} bytes after earlier error`);
  if (transaction === undefined) return replyOf('503 5.5.1 Error: need RCPT command');
  if (transaction.recipients.length === 0) return replyOf('554 5.5.1 Error: no valid recipients');
  const { messageSizeLimit } = session.settings;
  if (messageSizeLimit > 0 && transaction.contentBytes + sizeBytes > messageSizeLimit) {
    warn(
      session,
      `${session.queueId || 'NOQUEUE'}: BDAT request from ${session.clientText} exceeds message size limit`,
    );
    return replyOf('552 5.3.4 Chunk exceeds message size limit');
  }
  if (session.chunks !== 'none') return undefined;
  const verdict = await checkPolicy(session, 'data');
  if (verdict.kind === 'reject') return replyOf(verdict.reply, verdict.hangsUp);
  return beginContent(session, transaction, 'DATA');
}
