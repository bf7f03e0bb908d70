/**
 * A mail_spool_directory where only root may write: mailboxes and their locks are made there by root, as with Postfix.
 * local(8), "MAILBOX DELIVERY"
 */
import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { getUserByName } from '#native';
import type { MailboxFile, NewOwner } from './mailbox.ts';

/** Whether only root may make files there, and put links; not where it can't be seen. */
export function isClosedSpool(directory: string): boolean {
  try {
    const { uid, mode } = statSync(directory);
    return uid === 0 && (mode & 0o022) === 0;
  } catch {
    return false;
  }
}

/** Whether a mailbox may be written to as root: a user's in the spool, and nobody else's when it has to be made. */
export function isSpoolMailbox(spool: string, { path, newOwner, isFileDestination }: MailboxFile): boolean {
  if (spool === '' || isFileDestination || newOwner === undefined) return false;
  if (path !== `${dirname(path)}/${basename(path)}` || dirname(path) !== spool) return false;
  return isUser(basename(path), newOwner) && isClosedSpool(spool);
}

function isUser(name: string, { uid, gid }: NewOwner): boolean {
  const user = getUserByName(name);
  return user?.name === name && user.uid === uid && user.gid === gid;
}
