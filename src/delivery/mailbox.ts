/** Mailbox files: locked, checked, appended to, and put back as they were when writing fails. mbox(5); local(8), virtual(8) */
import { constants, type Stats } from 'node:fs';
import { errnoOf, errnoText } from '#native';
import { callsInThreads, type FileCalls, writeWhole } from './file-calls.ts';
import { MailboxError } from './mailbox-error.ts';
import { dotLock, factsOf, lockOpened, type LockRules, type LockTarget } from './mailbox-locks.ts';

const mode = 0o600;

/** `isFileDestination`: a `/file` destination, where programs are refused, too. */
export interface MailboxFile extends LockTarget {
  /** Bytes; 0: no limit. mailbox_size_limit, virtual_mailbox_limit */
  readonly sizeLimit: number;
  /** Owner that an existing file must have; undefined: any. strict_mailbox_ownership */
  readonly owner: number | undefined;
  /** Whose a file is that has to be made; undefined: who makes it. */
  readonly newOwner?: NewOwner | undefined;
}

export interface NewOwner {
  readonly uid: number;
  readonly gid: number;
}

/** A link may stand for a mailbox only where nobody but root could have put it. */
async function isTrustedLink({ stat }: FileCalls, path: string, facts: Stats): Promise<boolean> {
  const parent = await stat(path.slice(0, path.lastIndexOf('/')) || '/');
  return facts.uid === 0 && (parent.mode & 0o022) === 0 && parent.uid === 0;
}

async function checkOpened(
  calls: FileCalls,
  fd: number,
  { path, owner, isFileDestination }: MailboxFile,
): Promise<Stats> {
  const facts = await calls.fstat(fd);
  if (facts.isDirectory()) throw new MailboxError('file is a directory');
  const seen = await calls.lstat(path);
  if (seen.isSymbolicLink()) {
    if (!(await isTrustedLink(calls, path, seen))) throw new MailboxError('file is a symbolic link');
  } else if (seen.ino !== facts.ino || seen.dev !== facts.dev)
    throw new MailboxError('file status changed unexpectedly');
  if (!facts.isFile() && !isFileDestination)
    throw new MailboxError(`destination ${path} is not a regular file`, { isNotRegular: true });
  if (!facts.isFile()) return facts;
  if (facts.nlink !== 1) throw new MailboxError(`file has ${facts.nlink} hard links`);
  if (isFileDestination && (facts.mode & 0o111) !== 0) {
    throw new MailboxError('file is executable', { status: '5.7.1' });
  }
  if (owner !== undefined && facts.uid !== owner) {
    throw new MailboxError(`destination ${path} is not owned by recipient`, {
      status: '4.2.0',
      warnings: ['specify "strict_mailbox_ownership = no" to ignore mailbox ownership mismatch'],
    });
  }
  return facts;
}

// a pipe that nobody reads, or reads slowly, is not waited for
const appending = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK;

function cannotOpen(error: unknown): MailboxError {
  return new MailboxError(`cannot open file: ${errnoText(error)}`, { errno: errnoOf(error) });
}

async function giveTo(calls: FileCalls, path: string, fd: number, { uid, gid }: NewOwner): Promise<void> {
  try {
    await calls.chown(fd, uid, gid);
  } catch (error) {
    await calls.close(fd);
    await calls.unlink(path);
    throw new MailboxError(`cannot change ownership of file: ${errnoText(error)}`, { errno: errnoOf(error) });
  }
}

async function openMailbox(calls: FileCalls, path: string, newOwner?: NewOwner): Promise<number> {
  try {
    return await calls.open(path, appending);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw cannotOpen(error);
  }
  try {
    const fd = await calls.open(path, appending | constants.O_CREAT | constants.O_EXCL, mode);
    if (newOwner !== undefined) await giveTo(calls, path, fd, newOwner);
    return fd;
  } catch (error) {
    if (error instanceof MailboxError) throw error;
    if (errnoOf(error) !== 'EEXIST')
      throw new MailboxError(`cannot create file exclusively: ${errnoText(error)}`, { errno: errnoOf(error) });
  }
  // somebody was faster, or it is a link to nothing
  try {
    return await calls.open(path, appending);
  } catch (error) {
    throw cannotOpen(error);
  }
}

/** Locks a mailbox as for a delivery, and makes it when it is not there. Rejects with a MailboxError. postlock(1) */
export async function lockMailbox(path: string, locks: LockRules): Promise<{ release(): Promise<void> }> {
  const calls = callsInThreads;
  const lock = await dotLock(calls, { path, locks, isFileDestination: false }, await factsOf(calls, path));
  let fd: number | undefined;
  const release = async (): Promise<void> => {
    await lock.release();
    if (fd !== undefined) await calls.close(fd);
  };
  try {
    fd = await openMailbox(calls, path);
    await lockOpened(fd, locks);
    return { release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** An open mailbox, as it is before anything is written to it. */
interface OpenMailbox {
  readonly calls: FileCalls;
  readonly fd: number;
  readonly before: Stats;
}

async function writeAll(
  { calls, fd, before }: OpenMailbox,
  limit: number,
  content: AsyncIterable<Buffer>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let size = before.size;
  try {
    for await (const piece of content) {
      size += piece.length;
      if (before.isFile() && limit > 0 && size > limit) {
        throw Object.assign(new Error('file too large'), { code: 'EFBIG' });
      }
      await writeWhole(calls, fd, piece);
    }
    if (before.isFile()) await calls.sync(fd);
    signal?.throwIfAborted();
  } catch (error) {
    if (before.isFile()) await calls.truncate(fd, before.size);
    throw new MailboxError(`error writing message: ${errnoText(error)}`, { errno: errnoOf(error) });
  }
}

export interface Appended {
  /** To be logged. */
  readonly warnings: readonly string[];
  /** Where in the mailbox the message begins. */
  readonly offset: number;
}

/** Appends to a mailbox that others leave alone meanwhile; gives where the message begins. */
async function appendLocked(
  calls: FileCalls,
  target: MailboxFile,
  content: AsyncIterable<Buffer>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const fd = await openMailbox(calls, target.path, target.newOwner);
  try {
    const opened = await checkOpened(calls, fd, target);
    if (opened.isFile()) await lockOpened(fd, target.locks, signal);
    const before = opened.isFile() ? await calls.fstat(fd) : opened;
    await writeAll({ calls, fd, before }, target.sizeLimit, content, signal);
    return before.size;
  } finally {
    await calls.close(fd);
  }
}

/** Appends a message. Throws MailboxError, and another error when `signal` aborts it. */
export async function appendMailbox(
  calls: FileCalls,
  target: MailboxFile,
  content: AsyncIterable<Buffer>,
  signal?: AbortSignal,
): Promise<Appended> {
  signal?.throwIfAborted();
  const lock = await dotLock(calls, target, await factsOf(calls, target.path), signal);
  try {
    return { warnings: lock.warnings, offset: await appendLocked(calls, target, content, signal) };
  } catch (error) {
    throw error instanceof MailboxError ? error.after(lock.warnings) : error;
  } finally {
    await lock.release();
  }
}
