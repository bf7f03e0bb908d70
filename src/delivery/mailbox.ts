/** Mailbox files: locked, checked, appended to, and put back as they were when writing fails. mbox(5); local(8), virtual(8) */
import { constants, type Stats } from 'node:fs';
import { lstat, open, stat, unlink } from 'node:fs/promises';
import { type FileLockKind, tryLockFile } from '#native';
import { errnoOf, errnoText, MailboxError } from './mailbox-error.ts';

const mode = 0o600;

/** How mailboxes are locked. postconf(5) mailbox_delivery_lock, deliver_lock_attempts, deliver_lock_delay, stale_lock_time */
export interface LockRules {
  readonly kinds: readonly string[];
  readonly attempts: number;
  readonly delayMs: number;
  readonly staleMs: number;
}

export interface MailboxFile {
  readonly path: string;
  readonly locks: LockRules;
  /** Bytes; 0: no limit. mailbox_size_limit, virtual_mailbox_limit */
  readonly sizeLimit: number;
  /** `/file` destinations: a lock file that can't be made is only warned of, and programs are refused. */
  readonly isFileDestination: boolean;
  /** Owner that an existing file must have; undefined: any. strict_mailbox_ownership */
  readonly owner: number | undefined;
}

interface Held {
  /** Never rejects: who took the lock away does not undo what was written. */
  readonly release: () => Promise<void>;
  readonly warnings: readonly string[];
}

async function tryDotLock(lock: string, staleMs: number): Promise<boolean> {
  try {
    const file = await open(lock, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0);
    await file.close();
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    const held = await stat(lock).catch(() => undefined);
    // the time that nobody can set
    if (held !== undefined && Date.now() - held.ctimeMs > staleMs) await unlink(lock).catch(() => undefined);
    return false;
  }
}

/** A `.lock` file beside the mailbox. */
async function dotLock({ path, locks, isFileDestination }: MailboxFile): Promise<Held> {
  const nothing = { release: () => Promise.resolve(), warnings: [] };
  const present = await stat(path).catch(() => undefined);
  // nobody reads a device or a pipe meanwhile
  if (!locks.kinds.includes('dotlock') || present?.isFile() === false) return nothing;
  const lock = `${path}.lock`;
  for (let tries = 0; tries < locks.attempts; tries += 1) {
    try {
      if (await tryDotLock(lock, locks.staleMs))
        return { release: () => unlink(lock).catch(() => undefined), warnings: [] };
    } catch (error) {
      const text = `unable to create lock file ${lock}: ${errnoText(error)}`;
      if (isFileDestination) return { ...nothing, warnings: [text] };
      throw new MailboxError(text, { errno: errnoOf(error) });
    }
    await new Promise((resolve) => setTimeout(resolve, locks.delayMs));
  }
  throw new MailboxError(`unable to create lock file ${lock}: File exists`, { errno: 'EAGAIN' });
}

/** A link may stand for a mailbox only where nobody but root could have put it. */
async function isTrustedLink(path: string, facts: Stats): Promise<boolean> {
  const parent = await stat(path.slice(0, path.lastIndexOf('/')) || '/');
  return facts.uid === 0 && (parent.mode & 0o022) === 0 && parent.uid === 0;
}

async function checkOpened(
  file: Awaited<ReturnType<typeof open>>,
  { path, owner, isFileDestination }: MailboxFile,
): Promise<Stats> {
  const facts = await file.stat();
  if (facts.isDirectory()) throw new MailboxError('file is a directory');
  const seen = await lstat(path);
  if (seen.isSymbolicLink()) {
    if (!(await isTrustedLink(path, seen))) throw new MailboxError('file is a symbolic link');
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
    throw new MailboxError(`destination ${path} is not owned by recipient`, { status: '4.2.0' });
  }
  return facts;
}

async function openMailbox({ path, isFileDestination }: MailboxFile): ReturnType<typeof open> {
  // what is no file is refused anyway, and a pipe that nobody reads would be waited for
  const wait = isFileDestination ? 0 : constants.O_NONBLOCK;
  const flags = constants.O_WRONLY | constants.O_APPEND | wait;
  try {
    return await open(path, flags);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') {
      throw new MailboxError(`cannot open file: ${errnoText(error)}`, { errno: errnoOf(error) });
    }
  }
  try {
    return await open(path, flags | constants.O_CREAT | constants.O_EXCL, mode);
  } catch (error) {
    throw new MailboxError(`cannot create file exclusively: ${errnoText(error)}`, { errno: errnoOf(error) });
  }
}

/** flock and fcntl locks, for readers that honour them. */
async function lockOpened(file: Awaited<ReturnType<typeof open>>, { locks }: MailboxFile): Promise<void> {
  const kinds: readonly FileLockKind[] = ['flock', 'fcntl'];
  for (const kind of kinds.filter((each) => locks.kinds.includes(each))) {
    for (let tries = 1; !tryLockFile(file.fd, kind); tries += 1) {
      if (tries >= locks.attempts) {
        throw new MailboxError('unable to lock for exclusive access: Resource temporarily unavailable', {
          errno: 'EAGAIN',
        });
      }
      await new Promise((resolve) => setTimeout(resolve, locks.delayMs));
    }
  }
}

/** Locks a mailbox as for a delivery, and makes it when it is not there. Rejects with a MailboxError. postlock(1) */
export async function lockMailbox(path: string, locks: LockRules): Promise<{ release(): Promise<void> }> {
  const mailbox = { path, locks, sizeLimit: 0, isFileDestination: false, owner: undefined };
  const lock = await dotLock(mailbox);
  try {
    const file = await openMailbox(mailbox);
    await lockOpened(file, mailbox);
    return {
      async release() {
        await lock.release();
        await file.close();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function writeAll(
  file: Awaited<ReturnType<typeof open>>,
  before: Stats,
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
      await file.writeFile(piece);
    }
    if (before.isFile()) await file.sync();
    signal?.throwIfAborted();
  } catch (error) {
    if (before.isFile()) await file.truncate(before.size);
    throw new MailboxError(`error writing message: ${errnoText(error)}`, { errno: errnoOf(error) });
  }
}

export interface Appended {
  /** To be logged. */
  readonly warnings: readonly string[];
  /** Where in the mailbox the message begins. */
  readonly offset: number;
}

/** Appends a message. Throws MailboxError, also when `signal` aborts it. */
export async function appendMailbox(
  target: MailboxFile,
  content: AsyncIterable<Buffer>,
  signal?: AbortSignal,
): Promise<Appended> {
  const lock = await dotLock(target);
  try {
    const file = await openMailbox(target);
    let offset: number;
    try {
      const before = await checkOpened(file, target);
      if (before.isFile()) await lockOpened(file, target);
      const locked = before.isFile() ? await file.stat() : before;
      offset = locked.size;
      await writeAll(file, locked, target.sizeLimit, content, signal);
    } finally {
      await file.close();
    }
    return { warnings: lock.warnings, offset };
  } catch (error) {
    if (!(error instanceof MailboxError)) throw error;
    const { message, status, errno, warnings, isNotRegular } = error;
    throw new MailboxError(message, {
      isNotRegular,
      ...(status === undefined ? {} : { status }),
      errno,
      warnings: [...lock.warnings, ...warnings],
    });
  } finally {
    await lock.release();
  }
}
