/** Notices to the postmaster about SMTP sessions: what was said in them. postconf(5) notify_classes, error_notice_recipient */
import { toExternal } from '#address';
import type { Settings } from '#config';
import {
  bytesOf,
  formatMailDate,
  internalEnvelope,
  internalReceived,
  type Submission,
  type SubmissionPort,
} from '#message';
import { thrownText } from '#native';
import type { SessionNotice } from '#smtp';
import { wrapText } from './wrap.ts';

export interface SessionNoticeOptions {
  /** Who speaks: our server with a client, or our client with a server. */
  readonly speaker: 'SMTP server' | 'SMTP client' | 'LMTP client';
  readonly submission: SubmissionPort;
  readonly settings: Settings;
  readonly warn: (text: string) => void;
  readonly now: () => number;
}

const lineLength = 78;

/** Sends such notices; one that can't be sent is given up. */
export function createSessionNotifier(options: SessionNoticeOptions): (session: SessionNotice) => void {
  const { settings, speaker, warn } = options;
  const isServer = speaker === 'SMTP server';
  const myhostname = settings.string('myhostname');
  const mailName = settings.string('mail_name');
  const recipientOf = ({ isBounce }: SessionNotice): string =>
    settings.string(isBounce ? 'bounce_notice_recipient' : 'error_notice_recipient');
  const isObsolete = settings.string('header_from_format').toLowerCase() === 'obsolete';
  const header = (name: string, address: string): string =>
    isObsolete ? `${address} (${name})` : `${name} <${address}>`;
  const to = toExternal(settings.string('error_notice_recipient'));
  const textOf = ({ peer, lines, reason }: SessionNotice): string =>
    [
      `From: ${header('Mail Delivery System', `MAILER-DAEMON@${myhostname}`)}`,
      `To: ${header('Postmaster', to)}`,
      `Subject: ${mailName} ${speaker}: errors from ${peer}`,
      '',
      ...(isServer ? [] : [`Unexpected response from ${peer}.`, '']),
      'Transcript of session follows.',
      '',
      ...lines.map((line) => ` ${wrapText(line, lineLength).replaceAll('\r\n', '\r\n ')}`),
      '',
      ...(reason === '' ? [] : [`Session aborted, reason: ${reason}`]),
      ...(isServer ? [''] : []),
      'For other details, see the local mail logfile',
      '',
    ].join('\r\n');
  return (session) => {
    const recipient = recipientOf(session);
    send(textOf(session), `${settings.string('double_bounce_sender')}@${myhostname}`, recipient, {
      ...options,
      names: { myhostname, mailName },
    }).catch((error: unknown) => warn(`postmaster notify: ${thrownText(error)}`));
  };
}

async function send(
  text: string,
  sender: string,
  recipient: string,
  {
    submission,
    now,
    names,
  }: SessionNoticeOptions & { readonly names: { readonly myhostname: string; readonly mailName: string } },
): Promise<void> {
  const arrivedAt = now();
  const date = formatMailDate(arrivedAt);
  const message: Submission = submission.open({
    source: 'notify',
    overrides: [],
    envelope: internalEnvelope(sender, arrivedAt, 'notice'),
    prepend: () => internalReceived(message.queueId, date, names),
  });
  await message.addRecipient({ address: recipient, original: recipient, dsnOriginal: '', notify: [] });
  await message.write(bytesOf(`Date: ${date}\r\n${text}`));
  // a refusal is in the log already: cleanup says what it was
  await message.end();
}
