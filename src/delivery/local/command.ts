/** Deliveries to commands: mailbox_command, `|command`. local(8), "EXTERNAL COMMAND DELIVERY" */
import { expandValue } from '#config';
import { filtered, messageFacts } from '../command-environment.ts';
import { commandOutcome } from '../command-outcome.ts';
import { mailboxCopy } from '../mailbox-copy.ts';
import { concludeFailed, concludeSent, warn } from './conclude.ts';
import { isNew, type Job, type Mailee, type Place } from './job.ts';

function environmentOf(job: Job, mailee: Mailee, place: Place): Readonly<Record<string, string>> {
  const { settings } = job.parts;
  const { home = '', shell = '' } = place.rights ?? {};
  const facts = new Map([
    ...messageFacts(job.request, job.recipient),
    ['RECIPIENT', mailee.address] as const,
    ['SENDER', place.sender === '' ? 'MAILER-DAEMON' : place.sender] as const,
    ['USER', mailee.user] as const,
    ['LOGNAME', mailee.user] as const,
    ['LOCAL', mailee.local] as const,
    ['DOMAIN', mailee.domain] as const,
    ['EXTENSION', mailee.extension] as const,
  ]);
  const safe = [...facts]
    .filter(([, value]) => value !== '')
    .map(([name, value]) => [name, filtered(value, settings.commandFilter)] as const);
  return {
    ...settings.environment,
    ...Object.fromEntries(safe),
    ...(home === '' ? {} : { HOME: home }),
    ...(shell === '' ? {} : { SHELL: shell }),
  };
}

/** command_execution_directory, `$name` filled in with filtered values. */
function directoryOf(job: Job, mailee: Mailee, place: Place): string {
  const { settings } = job.parts;
  if (settings.commandDirectory === '') return '';
  const values = expansionValues(job, mailee, place.rights?.home ?? '', place.rights?.shell ?? '');
  const expansion = expandValue(settings.commandDirectory, (name) => {
    const value = values.get(name);
    return value === undefined ? undefined : filtered(value, settings.directoryFilter);
  });
  return expansion.kind === 'ok' ? expansion.text : '';
}

/** Names that local(8) expands in forward_path, luser_relay and command_execution_directory. */
export function expansionValues(job: Job, mailee: Mailee, home: string, shell: string): ReadonlyMap<string, string> {
  return new Map([
    ['user', mailee.user],
    ['home', home],
    ['shell', shell],
    ['recipient', mailee.address],
    ['extension', mailee.extension],
    ['domain', mailee.domain],
    ['local', mailee.local],
    ['recipient_delimiter', mailee.delimiter === '' ? job.parts.settings.delimiters.slice(0, 1) : mailee.delimiter],
  ]);
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
      directory: directoryOf(job, mailee, place),
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
  concludeFailed(job, address, outcome.code, outcome.text, outcome.diagnostic);
}
