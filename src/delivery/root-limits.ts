/**
 * Root's own mail. The process that asks is not root, so the one that is root does for it only what it was told by the
 * supervisor: it writes to root's mailbox and to those of a spool that is closed to others, and reads root's .forward and
 * what root's aliases include. Commands and other files of root's mail are for default_privs, as with Postfix.
 */
import { basename, dirname } from 'node:path';
import type { DelivererRequest } from './deliverer-protocol.ts';
import { isSpoolMailbox } from './closed-spool.ts';
import type { MailboxFile } from './mailbox.ts';
import { isIncluded } from './root-includes.ts';

export interface RootLimits {
  /** Mailbox files and maildirs, without a slash at the end. */
  readonly mailboxes: readonly string[];
  /** The directory of users' mailbox files; '' where they are elsewhere. */
  readonly spool: string;
  /** Where .forward is looked for. */
  readonly home: string;
  /** Texts in which root's aliases are written. */
  readonly aliasFiles: readonly string[];
}

export function isWithin(limits: RootLimits, request: DelivererRequest): boolean {
  switch (request.kind) {
    case 'maildir':
      return limits.mailboxes.includes(request.path.replace(/\/$/, ''));
    case 'mailbox':
      return isRootsMailbox(limits, request) || isSpoolMailbox(limits.spool, request);
    case 'read':
      return request.paths.every((path) =>
        request.followsLinks ? isIncluded(path, limits.aliasFiles) : isForwardFile(limits, path),
      );
    case 'see':
      return request.path === limits.home;
    case 'command':
      return false;
  }
}

function isRootsMailbox({ mailboxes }: RootLimits, { path, isFileDestination, newOwner }: MailboxFile): boolean {
  return !isFileDestination && newOwner === undefined && mailboxes.includes(path);
}

function isForwardFile({ home }: RootLimits, path: string): boolean {
  return dirname(path) === home && basename(path).startsWith('.forward');
}

/** What the supervisor sent; undefined for anything else. */
export function parseRootLimits(text: string): RootLimits | undefined {
  const value: unknown = JSON.parse(text === '' ? 'null' : text);
  if (typeof value !== 'object' || value === null || !('mailboxes' in value) || !('home' in value)) return undefined;
  const { mailboxes, home } = value;
  const spool = 'spool' in value && typeof value.spool === 'string' ? value.spool : '';
  const aliasFiles = 'aliasFiles' in value ? value.aliasFiles : undefined;
  if (!Array.isArray(mailboxes) || !Array.isArray(aliasFiles)) return undefined;
  if (typeof home !== 'string' || home === '') return undefined;
  return { mailboxes: mailboxes.map(String), spool, home, aliasFiles: aliasFiles.map(String) };
}
