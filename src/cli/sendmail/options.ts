/** What sendmail(1) can be asked for. */
import type { MaildropEnvelope, Notify } from '#message';

export type SendmailMode = 'deliver' | 'daemon' | 'newaliases' | 'mailq' | 'smtp' | 'flush' | 'ignore';

export interface SendmailOptions {
  mode: SendmailMode;
  /** -bv: says who would get the mail, instead of delivering it. */
  verifies: boolean;
  /** Internal form; undefined: the login name. */
  sender: string | undefined;
  /** -F; also when it is empty. */
  fullName: string | undefined;
  dotIsText: boolean;
  extractsRecipients: boolean;
  encoding: MaildropEnvelope['encoding'];
  rewriteContext: MaildropEnvelope['rewriteContext'];
  notify: readonly Notify[];
  ret: MaildropEnvelope['ret'];
  envid: string;
  /** Delimiters of -XV; 'default' for those of main.cf. */
  verp: string | undefined;
  verbosity: number;
  requireTls: boolean;
  smtputf8: boolean;
  aliasDatabase: string;
  /** -qR and -qI: what is flushed instead of anything else. */
  site: string | undefined;
  queueId: string | undefined;
  /** -q with a number: only a daemon would care. */
  hasInterval: boolean;
  recipients: readonly string[];
}

/** Nothing but the mode is asked for. */
export const unchanged: Omit<SendmailOptions, 'mode'> = {
  verifies: false,
  sender: undefined,
  fullName: undefined,
  dotIsText: false,
  extractsRecipients: false,
  encoding: '',
  rewriteContext: 'local',
  notify: [],
  ret: '',
  envid: '',
  verp: undefined,
  verbosity: 0,
  requireTls: false,
  smtputf8: false,
  aliasDatabase: '',
  site: undefined,
  queueId: undefined,
  hasInterval: false,
  recipients: [],
};
