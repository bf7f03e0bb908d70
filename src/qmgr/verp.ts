/** With VERP each recipient has a sender of its own, and so a delivery of its own. VERP_README */
import { verpSender } from '#bounce';
import type { Envelope, RequestRecipient } from '#message';

/** Whether the sender of the message is another one for each recipient. */
export function hasSenderPerRecipient({ verp, sender }: Pick<Envelope, 'verp' | 'sender'>): boolean {
  return verp !== '' && sender !== '';
}

/** The envelope of a delivery to these recipients. */
export function envelopeFor(envelope: Envelope, [recipient]: readonly RequestRecipient[]): Envelope {
  if (recipient === undefined || !hasSenderPerRecipient(envelope)) return envelope;
  const { verp, sender } = envelope;
  return { ...envelope, sender: verpSender(verp, sender, recipient.original || recipient.address) };
}
