/** Locks on mailbox files, for others who write to them or read them. postlock(1); local(8), virtual(8) */
import { constants, type Stats } from 'node:fs';
import { setTimeout as later } from 'node:timers/promises';
import type { MaybePromise } from '#message';
import { errnoOf, errnoText, type FileLockKind, tryLockFile } from '#native';
import type { FileCalls } from './file-calls.ts';
import { MailboxError } from './mailbox-error.ts';

/** How mailboxes are locked. postconf(5) mailbox_delivery_lock, deliver_lock_attempts, deliver_lock_delay, stale_lock_time */
export interface LockRules {
  readonly kinds: readonly string[];
  readonly attempts: number;
  readonly delayMs: number;
  readonly staleMs: number;
}

/** What is left of the patience of one that has waited already. */
export function afterWaiting(rules: LockRules, waitedMs: number): LockRules {
  const spent = Math.floor(waitedMs / Math.max(rules.delayMs, 1));
  return { ...rules, attempts: Math.max(rules.attempts - spent, 1) };
}

export interface LockTarget {
  readonly path: string;
  readonly locks: LockRules;
  /** `/file` destinations: a lock file that can't be made is only warned of. */
  readonly isFileDestination: boolean;
}

export interface HeldLock {
  /** Never rejects: who took the lock away does not undo what was written. */
  readonly release: () => Promise<void>;
  readonly warnings: readonly string[];
}

const noLock: HeldLock = { release: () => Promise.resolve(), warnings: [] };

/** What stands at a path; undefined when nothing does, or it can't be told. */
export async function factsOf({ stat }: Pick<FileCalls, 'stat'>, path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}

async function removed({ unlink }: FileCalls, lock: string): Promise<void> {
  try {
    await unlink(lock);
  } catch {
    // somebody was faster
  }
}

/** Tries as often as the rules say, with pauses between; whether it worked. Rejects when `signal` aborts a pause. */
async function attempted(
  { attempts, delayMs }: LockRules,
  signal: AbortSignal | undefined,
  tryOnce: () => MaybePromise<boolean>,
): Promise<boolean> {
  for (let tries = 1; !(await tryOnce()); tries += 1) {
    if (tries >= attempts) return false;
    await later(delayMs, undefined, signal && { signal });
  }
  return true;
}

async function tryDotLock(calls: FileCalls, lock: string, staleMs: number): Promise<boolean> {
  try {
    await calls.close(await calls.open(lock, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0));
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    const held = await factsOf(calls, lock);
    // the time that nobody can set
    if (held !== undefined && Date.now() - held.ctimeMs > staleMs) await removed(calls, lock);
    return false;
  }
}

/** A `.lock` file beside the mailbox. Throws MailboxError when it can't be had. `present`: what stands at the path. */
export async function dotLock(
  calls: FileCalls,
  { path, locks, isFileDestination }: LockTarget,
  present: Stats | undefined,
  signal?: AbortSignal,
): Promise<HeldLock> {
  // nobody reads a device or a pipe meanwhile
  if (!locks.kinds.includes('dotlock') || present?.isFile() === false) return noLock;
  const lock = `${path}.lock`;
  let isHeld: boolean;
  try {
    isHeld = await attempted(locks, signal, () => tryDotLock(calls, lock, locks.staleMs));
  } catch (error) {
    signal?.throwIfAborted();
    const text = `unable to create lock file ${lock}: ${errnoText(error)}`;
    if (isFileDestination) return { ...noLock, warnings: [text] };
    throw new MailboxError(text, { errno: errnoOf(error) });
  }
  if (isHeld) return { release: () => removed(calls, lock), warnings: [] };
  throw new MailboxError(`unable to create lock file ${lock}: File exists`, { errno: 'EAGAIN', isLocked: true });
}

/** flock and fcntl locks, for readers that honour them; they end with the descriptor. Throws MailboxError. */
export async function lockOpened(fd: number, locks: LockRules, signal?: AbortSignal): Promise<void> {
  const known: readonly FileLockKind[] = ['flock', 'fcntl'];
  for (const kind of known.filter((each) => locks.kinds.includes(each))) {
    if (await attempted(locks, signal, () => tryLockFile(fd, kind))) continue;
    const text = 'unable to lock for exclusive access: Resource temporarily unavailable';
    throw new MailboxError(text, { errno: 'EAGAIN', isLocked: true });
  }
}
