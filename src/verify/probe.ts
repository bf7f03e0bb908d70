/**
 * A probe: a message without body that passes cleanup, queue manager and delivery agent as mail does, up to the point
 * where it would be delivered. It leaves nothing behind, and nobody gets a notice about it.
 */
import { type ClientAttributes, formatMailDate, type Status, type Submission, type SubmissionPort } from '#message';
import type { VerifySettings } from './settings.ts';

const noClient: ClientAttributes = {
  name: '',
  reverseName: '',
  address: '',
  port: '',
  heloName: '',
  protocol: '',
  serverAddress: '',
  serverPort: '',
};

export interface Probe {
  readonly sender: string;
  readonly recipient: string;
  /** ms since the epoch. */
  readonly at: number;
  readonly onAliased: (status: Status) => void;
}

/** Puts a probe into the queue; gives why that was refused, or undefined. */
export async function submitProbe(
  { sender, recipient, at, onAliased }: Probe,
  submission: SubmissionPort,
  { myhostname, mailName }: VerifySettings,
): Promise<string | undefined> {
  const date = formatMailDate(at);
  const message: Submission = submission.open({
    source: 'verify',
    overrides: [],
    onAliased,
    envelope: {
      sender,
      arrivedAt: at,
      envid: '',
      ret: '',
      smtputf8: /[^\0-\x7f]/.test(recipient),
      encoding: '',
      rewriteContext: 'local',
      client: noClient,
      logClient: noClient,
      fullName: '',
      contentFilter: '',
      origin: 'verify',
      verp: '',
      trace: '',
      originalQueueId: '',
      requireTls: false,
    },
    prepend: () => Buffer.from(`Received: by ${myhostname} (${mailName})\r\n\tid ${message.queueId}; ${date}\r\n`),
  });
  try {
    message.addRecipient({ address: recipient, original: recipient, dsnOriginal: '', notify: [] });
    await message.write(Buffer.from(`Date: ${date}\r\n`));
  } catch (error) {
    message.abort();
    throw error;
  }
  const result = await message.end();
  return result.kind === 'refused' ? result.text : undefined;
}
