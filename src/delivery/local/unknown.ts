/** Recipients without a mailbox: fallback_transport, luser_relay, names that are always there. local(8) */
import { toInternal } from '#address';
import { concludeFailed, concludeSent, warn } from './conclude.ts';
import { deliverToMemberAddress } from './destinations.ts';
import { expandLocal } from './expansion.ts';
import { isNew, type Job, type Mailee, type Place } from './job.ts';
import { byUser, passToTransport } from './mailbox.ts';

export async function deliverToUnknown(job: Job, place: Place, mailee: Mailee): Promise<void> {
  const { fallbackTransportMaps, fallbackTransport, luserRelay, split } = job.parts.settings;
  if (!isNew(job, `unknown ${mailee.local}`)) return;
  const transport = await byUser(job, mailee, fallbackTransportMaps, fallbackTransport);
  if (transport === undefined) return;
  if (transport !== '') return passToTransport(job, mailee, transport);
  if (luserRelay !== '') {
    // one address, and nothing else: what it begins with has no meaning here
    const facts = { home: '', shell: '', delimiters: split.recipientDelimiter, filter: undefined };
    const relay = toInternal(expandLocal(luserRelay, mailee, facts)?.text ?? '');
    const isItself = job.parts.rewriter.rewrite(relay, 'local').toLowerCase() === mailee.address.toLowerCase();
    if (!isItself) return deliverToMemberAddress(job, { ...place, unmatched: '' }, mailee, relay);
  } else if (mailee.user === 'postmaster' || mailee.user === 'mailer-daemon') {
    warn(job, `required alias not found: ${mailee.user}`);
    return concludeSent(job, mailee.address, 'discarded');
  }
  await concludeFailed(job, mailee.address, '5.1.1', `unknown user: "${mailee.user}"`);
}
