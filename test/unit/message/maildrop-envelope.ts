/** What sendmail writes of a plain message, for tests. */
import type { MaildropEnvelope } from '#message';

export const plainEnvelope: MaildropEnvelope = {
  format: 1,
  createdAt: 0,
  sender: 'a',
  fullName: '',
  recipients: [],
  fromHeader: 0,
  ret: '',
  envid: '',
  encoding: '',
  rewriteContext: 'local',
  verp: '',
  trace: '',
  requireTls: false,
  smtputf8: false,
};
