/** A maildrop file becomes a message: envelope, Received header, content. pickup(8), cleanup(8) */
import type { EventChannel } from '#events';
import {
  type ClientAttributes,
  formatMailDate,
  type Submission,
  type SubmissionOptions,
  type SubmissionPort,
  type SubmissionResult,
  type SubmittedRecipient,
} from '#message';
import type { MaildropFile } from './maildrop-file.ts';
import type { PickupSettings } from './settings.ts';

export const localClient: ClientAttributes = {
  name: 'localhost',
  reverseName: 'localhost',
  address: '127.0.0.1',
  port: '',
  heloName: '',
  protocol: '',
  serverAddress: '',
  serverPort: '',
};

export interface SubmitOptions {
  readonly submission: SubmissionPort;
  readonly settings: PickupSettings;
  readonly events: EventChannel;
  readonly now: () => number;
}

export interface Submitted {
  readonly queueId: string;
  readonly envelope: SubmissionOptions['envelope'];
  readonly result: SubmissionResult;
}

/** Whom the file names, as it names them. */
export function fileRecipients({ envelope }: MaildropFile): readonly SubmittedRecipient[] {
  const first = envelope.recipients.length - envelope.fromHeader;
  return envelope.recipients.map((recipient, index) => ({
    ...recipient,
    original: recipient.address,
    isFromHeader: index >= first,
  }));
}

/** Sends the file through cleanup; rejects when the file can't be read. */
export async function submitFile(file: MaildropFile, options: SubmitOptions): Promise<Submitted> {
  const { envelope } = file;
  const { message, envelope: opened } = openSubmission(file, options);
  options.events.emit({
    kind: 'pickedUp',
    queueId: message.queueId,
    uid: file.uid,
    sender: envelope.sender,
  });
  try {
    for (const recipient of fileRecipients(file)) await message.addRecipient(recipient);
    for await (const chunk of file.content()) await message.write(chunk);
  } catch (error) {
    message.abort();
    throw error;
  }
  return { queueId: message.queueId, envelope: opened, result: await message.end() };
}

function openSubmission(
  { envelope, uid }: MaildropFile,
  { submission, settings, now }: SubmitOptions,
): { readonly message: Submission; readonly envelope: SubmissionOptions['envelope'] } {
  // mail that waited for the system to start came when it was handed in; nobody's mail comes from the future
  const arrivedAt = Math.min(envelope.createdAt, now());
  const options: SubmissionOptions = {
    source: 'pickup',
    overrides: settings.overrides,
    envelope: {
      sender: envelope.sender,
      arrivedAt,
      envid: envelope.envid,
      ret: envelope.ret,
      smtputf8: envelope.smtputf8,
      encoding: envelope.encoding,
      rewriteContext: envelope.rewriteContext,
      client: localClient,
      logClient: localClient,
      fullName: envelope.fullName,
      uid,
      contentFilter: settings.contentFilter,
      origin: 'mail',
      verp: envelope.verp,
      trace: envelope.trace,
      originalQueueId: '',
      requireTls: envelope.requireTls,
    },
    prepend: () => Buffer.from(receivedHeader(message.queueId, uid, arrivedAt, settings)),
  };
  const message = submission.open(options);
  return { message, envelope: options.envelope };
}

export function receivedHeader(
  queueId: string,
  uid: number,
  at: number,
  { myhostname, mailName }: PickupSettings,
): string {
  return `Received: by ${myhostname} (${mailName}, from userid ${uid})\r\n\tid ${queueId}; ${formatMailDate(at)}\r\n`;
}
