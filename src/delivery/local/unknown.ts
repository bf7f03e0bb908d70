/** Recipients without a mailbox: fallback_transport, luser_relay, names that are always there. local(8) */
import { toExternal } from '#address';
import { expandValue } from '#config';
import { expansionValues } from './command.ts';
import { concludeFailed, concludeSent, warn } from './conclude.ts';
import { deliverToMembers, membersOf } from './destinations.ts';
import { isNew, type Job, type Mailee, type Place } from './job.ts';
import { byUser, passToTransport } from './mailbox.ts';

/** luser_relay with its names filled in; '' when it is not set, or nothing is left of it. */
function luserRelay(job: Job, mailee: Mailee): string {
  const { luserRelay: template } = job.parts.settings;
  const values = expansionValues(job, mailee, '', '');
  const expansion = expandValue(template, (name) => values.get(name));
  return expansion.kind === 'ok' ? expansion.text : '';
}

export async function deliverToUnknown(job: Job, place: Place, mailee: Mailee): Promise<void> {
  const { fallbackTransportMaps, fallbackTransport } = job.parts.settings;
  const transport = await byUser(job, mailee, fallbackTransportMaps, fallbackTransport);
  if (transport === undefined) return;
  if (transport !== '') return passToTransport(job, mailee, transport);
  const relay = luserRelay(job, mailee);
  if (relay !== '' && isNew(job, `luser ${mailee.address.toLowerCase()}`)) {
    await deliverToMembers(job, { ...place, unmatched: '' }, mailee, membersOf(relay));
    return;
  }
  const name = mailee.user;
  if (name === 'postmaster' || name === 'mailer-daemon') {
    warn(job, `required alias not found: ${name}`);
    return concludeSent(job, mailee.address, 'discarded');
  }
  const quoted = toExternal(`${mailee.user}@x`).slice(0, -'@x'.length);
  concludeFailed(job, mailee.address, '5.1.1', `unknown user: "${quoted.replace(/^"([^]*)"$/, '$1')}"`);
}
