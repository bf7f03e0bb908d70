/** Deliveries to commands: mailbox_command, `|command`. local(8), "EXTERNAL COMMAND DELIVERY" */
import { filtered } from '#message';
import { messageFacts } from '../command-environment.ts';
import { commandOutcome } from '../command-outcome.ts';
import { mailboxCopy } from '../mailbox-copy.ts';
import { concludeFailed, concludeSent, warn } from './conclude.ts';
import { expandLocal } from './expansion.ts';
import { isNew, type Job, type Mailee, type Place } from './job.ts';

function environmentOf(job: Job, mailee: Mailee, place: Place): Readonly<Record<string, string>> {
  const { settings } = job.parts;
  const { home = '', shell = '' } = place.rights ?? {};
  const facts = new Map([
    ...messageFacts(job.request, job.recipient),
    ['RECIPIENT', mailee.address] as const,
    ['USER', mailee.user] as const,
    ['LOGNAME', mailee.user] as const,
    ['LOCAL', mailee.local] as const,
    ['DOMAIN', mailee.domain] as const,
    ['EXTENSION', mailee.extension] as const,
  ]);
  // told of where the address has one, be it empty
  const hasExtension = mailee.delimiter !== '';
  const safe = [...facts]
    .filter(([name, value]) => value !== '' || (name === 'EXTENSION' && hasExtension))
    .map(([name, value]) => [name, filtered(value, settings.commandFilter)] as const);
  return {
    ...settings.environment,
    ...Object.fromEntries(safe),
    // told even where it is the null sender
    SENDER: filtered(place.sender, settings.commandFilter),
    ...(home === '' ? {} : { HOME: home }),
    ...(shell === '' ? {} : { SHELL: shell }),
  };
}

/** command_execution_directory with its names filled in, as far as they have a value; undefined when it can't be read. */
function directoryOf(job: Job, mailee: Mailee, place: Place): string | undefined {
  const { commandDirectory, directoryFilter: filter, split } = job.parts.settings;
  if (commandDirectory === '') return '';
  const { home = '', shell = '' } = place.rights ?? {};
  return expandLocal(commandDirectory, mailee, { home, shell, delimiters: split.recipientDelimiter, filter })?.text;
}

/** `isMailbox`: mailbox_command, which needs no permission. */
export async function deliverToCommand(
  job: Job,
  place: Place,
  mailee: Mailee,
  command: string,
  isMailbox = false,
): Promise<void> {
  const { settings, deliverers, now, events } = job.parts;
  const { address } = mailee;
  const rights = place.rights ?? settings.nobody;
  if (!isNew(job, `command ${rights.uid} ${command}`)) return;
  if (!isMailbox && !settings.commandsFrom.has(place.kind)) {
    return concludeFailed(job, address, '5.7.1', 'mail to command is restricted');
  }
  if (job.request.probe) return concludeSent(job, address, `delivers to command: ${command}`);
  const directory = directoryOf(job, mailee, place);
  if (directory === undefined) {
    warn(job, `bad value for parameter command_execution_directory: "${settings.commandDirectory}"`);
    return concludeFailed(job, address, '4.3.5', 'mail system configuration error');
  }
  const content = mailboxCopy(job.request, job.recipient, place.deliveredTo, {
    sender: place.sender,
    prependsDelivered: settings.deliveredIn.has('command'),
    showsOriginal: settings.showsOriginal,
    form: 'command',
    now: now(),
  });
  const ended = await deliverers.run(
    rights.uid,
    rights.gid,
    {
      kind: 'command',
      command,
      shell: settings.shell,
      environment: environmentOf(job, mailee, place),
      directory,
      limitMs: settings.commandLimitMs,
    },
    content,
  );
  if (ended.kind !== 'ended') {
    return concludeFailed(
      job,
      address,
      '4.3.0',
      ended.kind === 'failed' ? ended.reason : 'the deliverer answered nonsense',
    );
  }
  const outcome = commandOutcome(ended, command, 'local');
  if (outcome === 'delivered') return concludeSent(job, address, `delivered to command: ${command}`);
  for (const text of outcome.warnings) warn(job, text);
  if (outcome.fatal !== undefined) events.emit({ kind: 'fatal', text: outcome.fatal });
  await concludeFailed(job, address, outcome.code, outcome.text, outcome.diagnostic);
}
