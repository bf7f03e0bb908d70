/** What happens to one local address: alias, .forward, mailbox, unknown. local(8) */
import { splitAddress, splitExtension, toExternal } from '#address';
import { getUserByName } from '#native';
import { answererFor, deliverToAlias } from './aliases.ts';
import { maxNesting } from './bounds.ts';
import { concludeFailed, warn } from './conclude.ts';
import { deliverToForward } from './forward.ts';
import { isNew, type Job, type Mailee, type Place } from './job.ts';
import { deliverToUser } from './mailbox.ts';
import { resubmit } from './resubmit.ts';
import { deliverToUnknown } from './unknown.ts';

function maileeOf(job: Job, address: string): Mailee {
  const { settings } = job.parts;
  const { localPart, domain } = splitAddress(address);
  const local = localPart.toLowerCase();
  const { user, extension, delimiter } = splitExtension(local, settings.split.recipientDelimiter, settings.split);
  if (!extension.includes('/')) return { address, local, user, extension, delimiter, domain: domain.toLowerCase() };
  warn(job, `${job.request.queueId}: address with illegal extension: ${local}`);
  return { address, local, user, extension: '', delimiter: '', domain: domain.toLowerCase() };
}

/** Delivers to an address that is routed to this transport. */
export async function deliverToAddress(job: Job, place: Place, address: string): Promise<void> {
  if (place.level > maxNesting) {
    warn(job, `recipient nesting limit exceeded for ${toExternal(address)}`);
    return concludeFailed(job, address, '5.4.6', 'recipient nesting limit exceeded');
  }
  // what a list with an owner, or an include file, names again goes out in its new message all the same
  if (!isNew(job, `${place.level} ${address.toLowerCase()} for ${place.owner}`)) return;
  const mailee = maileeOf(job, address);
  if (job.been.has(toExternal(address).toLowerCase())) {
    const sender = await answererFor(job, mailee);
    return concludeFailed({ ...job, sender }, address, '5.4.6', `mail forwarding loop for ${toExternal(address)}`);
  }
  if (mailee.user === '') return concludeFailed(job, address, '5.1.3', `null username in "${toExternal(address)}"`);
  // a backslash that is part of the name; that of `\name` in a list goes when the list is read
  if (address.startsWith('\\')) return deliverToBox(job, place, maileeOf(job, address.slice(1)), false);
  const { settings } = job.parts;
  if (await deliverToAlias(job, { ...place, unmatched: '' }, mailee, mailee.local)) return;
  if (mailee.user !== mailee.local) {
    const unmatched = settings.propagatesIn.has('alias') ? mailee.extension : '';
    if (await deliverToAlias(job, { ...place, unmatched }, mailee, mailee.user)) return;
  }
  // a list with an owner, and the members of include files: each gets a record of its own in a new message
  if ((place.owner !== '' && place.owner !== mailee.user) || place.kind === 'include')
    return resubmit(job, place, address);
  await deliverToBox(job, place, mailee, true);
}

async function deliverToBox(job: Job, place: Place, mailee: Mailee, forwards: boolean): Promise<void> {
  const { settings, deliverers } = job.parts;
  const user = getUserByName(mailee.user);
  if (user !== undefined && settings.needsHome) {
    const seen = await deliverers.run(user.uid, user.gid, { kind: 'see', path: user.home });
    if (seen.kind === 'failed') {
      return concludeFailed(job, mailee.address, '4.3.0', `cannot access home directory ${user.home}: ${seen.reason}`);
    }
  }
  if (forwards && user !== undefined && (await deliverToForward(job, place, mailee, user))) return;
  if (await deliverToUser(job, place, mailee, user)) return;
  await deliverToUnknown(job, place, mailee);
}
