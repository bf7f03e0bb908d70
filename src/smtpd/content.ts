/**
 * Message content on its way from the wire into the queue: the bound on its size, and first lines that are no header.
 * postconf(5) message_size_limit
 */
import type { MaybePromise, Submission } from '#message';
import type { Transaction } from './session-state.ts';

const SPACE = 0x20;
const TAB = 0x09;
const emptyLine = Buffer.from('\r\n');
const mailboxLine = Buffer.from('X-Mailbox-Line: ');

export interface ContentLimits {
  /** 0: no limit. */
  readonly messageSizeLimit: number;
  /** Told once, when the limit is passed. */
  readonly onTooLarge: () => void;
}

/** Writes a piece of content. A promise means: wait before reading on. */
export function writeContent(
  transaction: Transaction,
  target: Pick<Submission, 'write'>,
  bytes: Buffer,
  limits: ContentLimits,
): MaybePromise<void> {
  if (transaction.isTooLarge || bytes.length === 0) return undefined;
  const isFirst = transaction.contentBytes === 0;
  if (limits.messageSizeLimit > 0 && transaction.contentBytes + bytes.length > limits.messageSizeLimit) {
    transaction.isTooLarge = true;
    limits.onTooLarge();
    return undefined;
  }
  transaction.contentBytes += bytes.length;
  const front = isFirst ? frontOf(bytes) : undefined;
  if (front !== undefined) {
    const wait = target.write(front);
    if (wait instanceof Promise) return wait.then(() => target.write(bytes));
  }
  return target.write(bytes);
}

/** A mailbox's `From ` line becomes a header field; a first line that begins with a blank is body. */
function frontOf(bytes: Buffer): Buffer | undefined {
  if (bytes[0] === SPACE || bytes[0] === TAB) return emptyLine;
  return /^>*From /.test(bytes.toString('latin1', 0, 64)) ? mailboxLine : undefined;
}
