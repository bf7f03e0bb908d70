/** The mailbox of a user: another transport, a command, a maildir or a file. local(8), "MAILBOX DELIVERY" */
import type { Outcome } from '#message';
import type { SystemUser } from '#native';
import type { TableList } from '#tables';
import { passageNote } from '../pass-on.ts';
import { deliverToCommand } from './command.ts';
import { concludeFailed, warn } from './conclude.ts';
import { type Ending, isNew, type Job, type Mailee, type Place } from './job.ts';
import { rightsOf } from './settings.ts';
import { deliverToMailboxFile, deliverToMaildir } from './write.ts';

/** The value of a table keyed by user name, or the parameter; undefined after a failed lookup, which is concluded. */
export async function byUser(
  job: Job,
  mailee: Mailee,
  table: TableList,
  otherwise: string,
): Promise<string | undefined> {
  if (table.isEmpty) return otherwise;
  const found = await table.lookup(mailee.user);
  if (found.kind === 'found') return found.value;
  if (found.kind === 'missing') return otherwise;
  await concludeFailed(job, mailee.address, '4.3.0', 'table lookup failure');
  return undefined;
}

/** Hands the recipient to the transport that `destination` names. */
export async function passToTransport(job: Job, mailee: Mailee, destination: string): Promise<void> {
  const { request, recipient, parts } = job;
  const passage = parts.openPassage(destination, request);
  if (!passage.isOpen) {
    warn(job, passage.warning);
    return concludeFailed(job, mailee.address, passage.status.code, passage.status.reason);
  }
  const { address } = mailee;
  parts.events.emit({ kind: 'note', text: passageNote(request, address, destination) });
  let ending: Ending = { kind: 'deferred', status: { code: '4.3.0', reason: 'the delivery agent gave no answer' } };
  const report = ({ kind, status, relay, action }: Outcome): void => {
    ending = { kind, status, ...(relay && { relay }), ...(action && { action }) };
  };
  await passage.agent.deliver({ ...passage.request, recipients: [{ ...recipient, address }] }, report);
  job.outcomes.add({ ...ending, address, sender: job.sender });
}

/** False: there is no such user. */
export async function deliverToUser(
  job: Job,
  place: Place,
  mailee: Mailee,
  user: SystemUser | undefined,
): Promise<boolean> {
  const { settings } = job.parts;
  if (!isNew(job, `mailbox ${mailee.local}`)) return true;
  const transport = await byUser(job, mailee, settings.mailboxTransportMaps, settings.mailboxTransport);
  if (transport === undefined) return true;
  if (transport !== '') {
    await passToTransport(job, mailee, transport);
    return true;
  }
  if (user === undefined) return false;
  const own = {
    ...place,
    rights: rightsOf(user, settings.nobody),
  };
  const command = await byUser(job, mailee, settings.mailboxCommandMaps, settings.mailboxCommand);
  if (command === undefined) return true;
  if (command !== '') await deliverToCommand(job, own, mailee, command, true);
  else await deliverToMailboxOf(job, own, mailee, user);
  return true;
}

async function deliverToMailboxOf(job: Job, place: Place, mailee: Mailee, user: SystemUser): Promise<void> {
  const { homeMailbox, spoolDirectory } = job.parts.settings;
  if (homeMailbox.endsWith('/')) {
    return deliverToMaildir(job, place, mailee.address, `${user.home}/${homeMailbox}`, user);
  }
  if (spoolDirectory.endsWith('/')) {
    return deliverToMaildir(job, place, mailee.address, `${spoolDirectory}${user.name}/`, user);
  }
  return deliverToMailboxFile(job, place, mailee, user);
}
