/** Deliveries into files: maildirs and mailbox files. local(8), "MAILBOX DELIVERY", "EXTERNAL FILE DELIVERY" */
import { statSync } from 'node:fs';
import type { SystemUser } from '#native';
import { mailboxCopy } from '../mailbox-copy.ts';
import { isClosedSpool } from '../closed-spool.ts';
import { asWritten } from '../deliverer-protocol.ts';
import type { NewOwner } from '../mailbox.ts';
import type { MailboxCopy } from '../shaped-copy.ts';
import { concludeFailed, concludeSent, concludeWritten } from './conclude.ts';
import { isNew, type Job, type Mailee, type Place } from './job.ts';
import type { Rights } from './settings.ts';

interface SpoolRights {
  readonly uid: number;
  readonly gid: number;
  /** Whose a mailbox is that has to be made. */
  readonly newOwner: NewOwner | undefined;
}

function copy(job: Job, place: Place, shape: { readonly isMbox: boolean; readonly isDelivered: boolean }): MailboxCopy {
  const { request, recipient, parts } = job;
  return mailboxCopy(request, recipient, place.deliveredTo, {
    sender: place.sender,
    prependsDelivered: shape.isDelivered,
    showsOriginal: parts.settings.showsOriginal,
    form: shape.isMbox ? 'mbox' : 'plain',
    now: parts.now(),
  });
}

export async function deliverToMaildir(
  job: Job,
  place: Place,
  address: string,
  path: string,
  { uid, gid }: Pick<Rights, 'uid' | 'gid'>,
): Promise<void> {
  if (job.request.probe) return concludeSent(job, address, 'delivers to maildir');
  const { deliverers, hostname, settings } = job.parts;
  const content = copy(job, place, { isMbox: false, isDelivered: settings.deliveredIn.has('file') });
  const result = await deliverers.run(uid, gid, { kind: 'maildir', path, hostname }, content);
  await concludeWritten(job, address, asWritten(result), {
    done: 'delivered to maildir',
    failed: (reason) => `maildir delivery failed: ${reason}`,
    fallback: '5.2.0',
  });
}

/** Whose rights let mail be written to a user's mailbox in the spool directory: root's where nobody else may make files there. */
function spoolRights(directory: string, user: SystemUser, actsAsRoot: boolean): SpoolRights {
  if (actsAsRoot && isClosedSpool(directory)) return { uid: 0, gid: 0, newOwner: { uid: user.uid, gid: user.gid } };
  return { uid: user.uid, gid: spoolGroup(directory, user), newOwner: undefined };
}

/** The directory's own group where it is group-writable. */
function spoolGroup(directory: string, user: SystemUser): number {
  try {
    const { mode, gid } = statSync(directory);
    return (mode & 0o002) === 0 && (mode & 0o020) !== 0 ? gid : user.gid;
  } catch {
    return user.gid;
  }
}

/** home_mailbox or mail_spool_directory as a file. */
export async function deliverToMailboxFile(job: Job, place: Place, mailee: Mailee, user: SystemUser): Promise<void> {
  const { address } = mailee;
  if (job.request.probe) return concludeSent(job, address, 'delivers to mailbox');
  const { settings, deliverers } = job.parts;
  const isHome = settings.homeMailbox !== '';
  const spool = settings.spoolDirectory;
  const path = isHome ? `${user.home}/${settings.homeMailbox}` : `${spool}/${user.name}`;
  const rights = isHome ? { ...user, newOwner: undefined } : spoolRights(spool, user, deliverers.actsAsRoot);
  const result = await deliverers.run(
    rights.uid,
    rights.gid,
    {
      kind: 'mailbox',
      path,
      locks: settings.locks,
      sizeLimit: settings.sizeLimit,
      isFileDestination: false,
      owner: settings.isOwnerStrict ? user.uid : undefined,
      newOwner: rights.newOwner,
    },
    copy(job, place, { isMbox: true, isDelivered: settings.deliveredIn.has('file') }),
  );
  const written = asWritten(result);
  if (written.kind === 'ok' && !isHome) job.parts.tellNewMail?.(user.name, written.offset ?? 0);
  await concludeWritten(job, address, written, {
    done: 'delivered to mailbox',
    failed: (reason) => `cannot update mailbox ${path} for user ${user.name}. ${reason}`,
    fallback: '5.2.0',
  });
}

/** `/file` as a destination in an alias, a .forward or an include file. */
export async function deliverToFile(job: Job, place: Place, mailee: Mailee, path: string): Promise<void> {
  const { address } = mailee;
  const { settings, deliverers } = job.parts;
  const rights = place.rights ?? settings.nobody;
  if (!isNew(job, `file ${rights.uid} ${path}`)) return;
  if (!settings.filesFrom.has(place.kind)) return concludeFailed(job, address, '5.7.1', 'mail to file is restricted');
  if (path.endsWith('/')) return deliverToMaildir(job, place, address, path, rights);
  if (job.request.probe) return concludeSent(job, address, `delivers to file: ${path}`);
  const result = await deliverers.run(
    rights.uid,
    rights.gid,
    {
      kind: 'mailbox',
      path,
      locks: settings.locks,
      sizeLimit: settings.sizeLimit,
      isFileDestination: true,
      owner: undefined,
    },
    copy(job, place, { isMbox: true, isDelivered: settings.deliveredIn.has('file') }),
  );
  await concludeWritten(job, address, asWritten(result), {
    done: `delivered to file: ${path}`,
    failed: (reason) => `cannot append message to file ${path}: ${reason}`,
    fallback: '5.2.0',
  });
}
