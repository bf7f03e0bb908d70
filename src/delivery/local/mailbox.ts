/** The mailbox of a user: home_mailbox below the home directory, or mail_spool_directory. local(8) */
import type { DeliveryRequest, RequestRecipient } from '#message';
import type { SystemUser } from '#native';
import type { DelivererPool } from '../deliverer.ts';
import { mailboxCopy } from '../mailbox-copy.ts';
import type { MemberOutcome } from './agent.ts';

export interface MailboxSettings {
  readonly homeMailbox: string;
  readonly spoolDirectory: string;
  readonly locks: readonly string[];
  readonly sizeLimit: number;
  readonly prependsDelivered: boolean;
}

export interface MailboxParts {
  readonly request: DeliveryRequest;
  readonly recipient: RequestRecipient;
  readonly deliverers: DelivererPool;
  readonly hostname: string;
  readonly now: number;
}

function mailboxPath(
  user: SystemUser,
  settings: MailboxSettings,
): { readonly path: string; readonly isMaildir: boolean } {
  if (settings.homeMailbox !== '') {
    return { path: `${user.home}/${settings.homeMailbox}`, isMaildir: settings.homeMailbox.endsWith('/') };
  }
  const isMaildir = settings.spoolDirectory.endsWith('/');
  return { path: `${settings.spoolDirectory.replace(/\/+$/, '')}/${user.name}${isMaildir ? '/' : ''}`, isMaildir };
}

/** Writes the message as the user. */
export async function deliverToMailbox(
  user: SystemUser,
  settings: MailboxSettings,
  parts: MailboxParts,
): Promise<MemberOutcome> {
  const { path, isMaildir } = mailboxPath(user, settings);
  const { request, recipient, deliverers, hostname, now } = parts;
  const content = await mailboxCopy(request, recipient, recipient.address, {
    prependsDelivered: settings.prependsDelivered,
    isMbox: !isMaildir,
    now,
  });
  const result = await deliverers.run(
    user.uid,
    user.gid,
    isMaildir
      ? { kind: 'maildir', path, hostname }
      : { kind: 'mbox', path, locks: settings.locks, sizeLimit: settings.sizeLimit },
    content,
  );
  if (result.kind === 'ok')
    return { kind: 'sent', code: '2.0.0', text: isMaildir ? 'delivered to maildir' : 'delivered to mailbox' };
  const text = isMaildir
    ? `maildir delivery failed: ${result.reason}`
    : `cannot update mailbox ${path} for user ${user.name}. ${result.reason}`;
  return { kind: result.code.startsWith('5') ? 'bounced' : 'deferred', code: result.code, text };
}
