/** What master.cf `flags=` with D or O asks before a message goes to a server. smtp(8), lmtp(8) */
import { toExternal } from '#address';
import { deliveredToFields } from '../mailbox-copy.ts';
import type { Client } from './client.ts';
import type { Attempt } from './trouble.ts';

/** Settles the recipients that must not go out: the headers name one recipient, and tell of loops. */
export async function checkDeliveredHeaders({ settings, warn }: Client, attempt: Attempt): Promise<void> {
  const { addDeliveredTo, addOriginalTo, serviceName } = settings;
  if (!addDeliveredTo && !addOriginalTo) return;
  const { request } = attempt;
  if (request.recipients.length > 1) {
    warn(`flag \`${addDeliveredTo ? 'D' : 'O'}' requires ${serviceName}_destination_recipient_limit = 1`);
    attempt.settleHere(request.recipients, { code: '4.3.5', reason: 'mail system configuration error' }, serviceName);
    return;
  }
  if (!addDeliveredTo) return;
  const been = await deliveredToFields(request);
  for (const recipient of request.recipients) {
    const address = toExternal(recipient.address);
    if (!been.has(address.toLowerCase())) continue;
    attempt.settleHere([recipient], { code: '5.4.6', reason: `mail forwarding loop for ${address}` }, serviceName);
  }
}
