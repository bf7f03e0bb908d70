/**
 * A probe: a message without body that passes cleanup, queue manager and delivery agent as mail does, up to the point
 * where it would be delivered. It leaves nothing behind, and nobody gets a notice about it.
 */
import {
  formatMailDate,
  internalEnvelope,
  internalReceived,
  type Status,
  type Submission,
  type SubmissionPort,
} from '#message';
import type { VerifySettings } from './settings.ts';

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
  settings: VerifySettings,
): Promise<string | undefined> {
  const date = formatMailDate(at);
  const message: Submission = submission.open({
    source: 'verify',
    overrides: [],
    onAliased,
    envelope: internalEnvelope(sender, at, 'verify'),
    prepend: () => internalReceived(message.queueId, date, settings),
  });
  try {
    await message.addRecipient({ address: recipient, original: recipient, dsnOriginal: '', notify: [] });
    await message.write(Buffer.from(`Date: ${date}\r\n`));
  } catch (error) {
    message.abort();
    throw error;
  }
  const result = await message.end();
  return result.kind === 'refused' ? result.text : undefined;
}
