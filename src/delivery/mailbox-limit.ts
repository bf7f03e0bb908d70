/** A mailbox has to have room for the largest message, or nothing is delivered to any. local(8), virtual(8) */
import type { Settings } from '#config';

export type MailboxLimit = 'mailbox_size_limit' | 'virtual_mailbox_limit';

/** What is wrong with the limit of mailboxes beside message_size_limit; undefined: nothing. */
export function mailboxLimitProblem(settings: Settings, parameter: MailboxLimit): string | undefined {
  const mailbox = settings.int(parameter);
  const message = settings.int('message_size_limit');
  if (mailbox === 0) return undefined;
  if (message === 0) return `${parameter} is limited but message_size_limit is unlimited`;
  return mailbox < message ? `${parameter} is smaller than message_size_limit` : undefined;
}
