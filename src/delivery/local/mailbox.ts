/** The mailbox of a user: another transport, a command, a maildir or a file. local(8), "MAILBOX DELIVERY" */
import { toExternal } from '#address';
import type { SystemUser } from '#native';
import type { TableList } from '#tables';
import { deliverToCommand } from './command.ts';
import { concludeFailed, warn } from './conclude.ts';
import { isNew, type Job, type Mailee, type Place } from './job.ts';
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
  const [transport = ''] = destination.split(':', 1);
  if (transport === request.transport) {
    // it would come back here for ever, and leave no time for anybody else
    warn(job, `${request.queueId}: transport ${destination} is the one that passes the mail on`);
    return concludeFailed(job, mailee.address, '4.3.5', 'mail system configuration error');
  }
  parts.events.emit({
    kind: 'note',
    text: `${request.queueId}: passing <${toExternal(mailee.address)}> to transport=${transport}`,
  });
  const passed = parts.passOn(destination, request, { ...recipient, address: mailee.address });
  if (passed === undefined) {
    warn(job, `unknown transport: ${destination}`);
    return concludeFailed(job, mailee.address, '4.3.0', 'mail transport unavailable');
  }
  job.outcomes.push({ ...(await passed), address: mailee.address, sender: job.sender });
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
