/**
 * Message content on its way from the wire into the queue: the bound on its size, and first lines that are no header.
 * postconf(5) message_size_limit
 */
import type { MaybePromise, Submission } from '#message';
import type { Transaction } from './session-state.ts';

const SPACE = 0x20;
const TAB = 0x09;
const LF = 0x0a;
const emptyLine = Buffer.from('\r\n');
const mailboxLine = Buffer.from('X-Mailbox-Line: ');

export interface ContentLimits {
  /** 0: no limit. */
  readonly messageSizeLimit: number;
  /** What long lines count beyond their bytes. */
  readonly cutBytes: number;
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
  const counted = bytes.length + limits.cutBytes;
  if (limits.messageSizeLimit > 0 && transaction.contentBytes + counted > limits.messageSizeLimit) {
    // the lines before the limit are looked at all the same
    const room = limits.messageSizeLimit - transaction.contentBytes;
    const fitting = room > 0 ? bytes.subarray(0, bytes.lastIndexOf(LF, room - 1) + 1) : bytes.subarray(0, 0);
    const wait = writeContent(transaction, target, fitting, { ...limits, cutBytes: 0 });
    transaction.isTooLarge = true;
    limits.onTooLarge();
    return wait;
  }
  transaction.contentBytes += counted;
  if (!transaction.isAtTop) return target.write(bytes);
  const { front, rest, isOver } = frontOf(bytes);
  transaction.isAtTop = !isOver;
  const wait = front.length === 0 ? undefined : target.write(front);
  if (rest.length === 0) return wait;
  return wait instanceof Promise ? wait.then(() => target.write(rest)) : target.write(rest);
}

interface Front {
  /** What stands for the first lines. */
  readonly front: Buffer;
  readonly rest: Buffer;
  /** What comes next is none of them. */
  readonly isOver: boolean;
}

/** A mailbox's `From ` lines become header fields; a first line that begins with a blank is body. */
function frontOf(bytes: Buffer): Front {
  const front: Buffer[] = [];
  let at = 0;
  while (/^>*From /.test(bytes.toString('latin1', at, at + 64))) {
    const end = bytes.indexOf(LF, at) + 1 || bytes.length;
    front.push(mailboxLine, bytes.subarray(at, end));
    at = end;
  }
  if (bytes[at] === SPACE || bytes[at] === TAB) front.push(emptyLine);
  return { front: Buffer.concat(front), rest: bytes.subarray(at), isOver: bytes[at - 1] !== LF || at < bytes.length };
}
