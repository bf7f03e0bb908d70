/** postqueue(1): lists and flushes the queue. */
import { isAddressLiteral, isValidHostName, toExternal } from '#address';
import { ConfigError, findConfigDirectory, openSettings, type Settings } from '#config';
import { askSystem, type QueueEntry } from './control-client.ts';
import { lastValue, parseOptions } from './getopt.ts';
import type { CliIo } from './io.ts';
import { readQueue } from './queue-listing.ts';

/** The status of every failure, as in Postfix. */
const EX_UNAVAILABLE = 69;

type Action = 'list' | 'json' | 'flush' | 'flushId' | 'flushSite';

interface Options {
  readonly action: Action;
  readonly argument: string;
  readonly directory: string | undefined;
}

const usage = 'usage: postqueue -f | postqueue -i queueid | postqueue -j | postqueue -p | postqueue -s site';

const actions: Readonly<Record<string, Action>> = { f: 'flush', i: 'flushId', j: 'json', p: 'list', s: 'flushSite' };

/** The one thing to do, or what is wrong with the command line. */
function parse(args: readonly string[]): Options | readonly string[] {
  const parsed = parseOptions(args, 'c:fi:jps:v');
  if (parsed.kind === 'invalid') return [parsed.problem, `fatal: ${usage}`];
  const asked = parsed.options.flatMap(({ letter, value }) => {
    const action = actions[letter];
    return action === undefined ? [] : [{ action, argument: value }];
  });
  const [only] = asked;
  if (only === undefined || asked.length > 1 || parsed.operands.length > 0) return [`fatal: ${usage}`];
  const problem = badArgument(only.action, only.argument);
  return problem === undefined ? { ...only, directory: lastValue(parsed.options, 'c') } : [`fatal: ${problem}`];
}

function badArgument(action: Action, argument: string): string | undefined {
  const shown = argument.length > 100 ? `${argument.slice(0, 100)}...` : argument;
  if (action === 'flushId' && !/^[0-9A-Za-z_]+$/.test(argument))
    return `Cannot flush queue ID - invalid name: "${shown}"`;
  if (action === 'flushSite' && !isValidHostName(argument) && !isAddressLiteral(argument))
    return `Cannot flush mail queue - invalid destination: "${shown}"`;
  return undefined;
}

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const options = parse(args);
  if (!('action' in options)) {
    for (const problem of options) io.stderr(`postqueue: ${problem}\n`);
    return EX_UNAVAILABLE;
  }
  const { action, argument, directory } = options;
  let settings: Settings;
  try {
    settings = openSettings(findConfigDirectory(directory, io.env)).settings;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const text of error.problems) io.stderr(`postqueue: fatal: ${text}\n`);
    return 1;
  }
  if (action === 'list' || action === 'json') return list(action, settings, io);
  const answer = await askSystem(settings.string('queue_directory'), 'public', {
    operation: action,
    queueIds: [argument],
    site: argument,
  });
  if (answer.kind === 'ok') return 0;
  const reason = answer.kind === 'down' ? 'Cannot flush mail queue - mail system is down' : answer.reason;
  io.stderr(`postqueue: fatal: ${reason}\n`);
  return EX_UNAVAILABLE;
}

async function list(action: 'list' | 'json', settings: Settings, io: CliIo): Promise<number> {
  const messages = await readQueue(settings, (text) => io.stderr(`postqueue: warning: ${text}\n`));
  if (typeof messages === 'string') {
    io.stderr(`postqueue: fatal: ${messages}\n`);
    return EX_UNAVAILABLE;
  }
  if (action === 'json') io.stdout(messages.map(jsonLine).join(''));
  else
    io.stdout(
      messages.length === 0 ? 'Mail queue is empty\n' : table(messages, settings.bool('enable_long_queue_ids')),
    );
  return 0;
}

const pendingOf = (message: QueueEntry) => message.recipients.filter((recipient) => recipient.state === 'pending');

/** Of a recipient that waits for those it was expanded to. */
const reasonUnavailable = 'reason unavailable';

interface ListedRecipient {
  readonly address: string;
  readonly original: string;
  /** '' before the first attempt. */
  readonly reason: string;
}

/** Who waits and why; of an expansion first the members that do. */
function waitingOf(message: QueueEntry): readonly ListedRecipient[] {
  return pendingOf(message).flatMap(({ address, original, lastOutcome }) => {
    if (lastOutcome === undefined) return [{ address, original, reason: '' }];
    const { members, status } = lastOutcome;
    if (members === undefined) return [{ address, original, reason: status.reason.trimEnd() }];
    const waiting = members
      .filter(({ kind }) => kind === 'deferred')
      .map((member) => ({ address: member.address, original, reason: member.status.reason.trimEnd() }));
    const isAmong = waiting.some((member) => member.address === address);
    return isAmong ? waiting : [...waiting, { address, original, reason: reasonUnavailable }];
  });
}

function jsonLine(message: QueueEntry): string {
  const { queue, queueId, envelope, sizeBytes, forcedExpire } = message;
  const recipients = waitingOf(message).map(({ address, original, reason }) => {
    return `{"orig_address": ${JSON.stringify(original)}, "address": ${JSON.stringify(toExternal(address))}${reason === '' || reason === reasonUnavailable ? '' : `, "delay_reason": ${JSON.stringify(reason)}`}}`;
  });
  const sender = envelope.sender === '' ? 'MAILER-DAEMON' : toExternal(envelope.sender);
  return `{"queue_name": "${queue}", "queue_id": "${queueId}", "arrival_time": ${Math.floor(envelope.arrivedAt / 1000)}, "message_size": ${sizeBytes}, "forced_expire": ${String(forcedExpire)}, "sender": ${JSON.stringify(sender)}, "recipients": [${recipients.join(', ')}]}\n`;
}

const marks: Readonly<Record<string, string>> = { active: '*', hold: '!' };

/** asctime(3) without the year. */
function arrival(at: number): string {
  const [day = '', month = '', date = '', , time = ''] = new Date(at).toString().split(' ');
  return `${day} ${month} ${String(Number(date)).padStart(2)} ${time}`;
}

/** The listing that mailq shows. */
function table(messages: readonly QueueEntry[], isLong: boolean): string {
  const width = isLong ? 17 : 11;
  let out = isLong
    ? '----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n'
    : '-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n';
  let bytes = 0;
  for (const message of messages) {
    bytes += message.sizeBytes;
    const id = message.queueId + (message.forcedExpire ? '#' : (marks[message.queue] ?? ''));
    const sender = message.envelope.sender === '' ? 'MAILER-DAEMON' : toExternal(message.envelope.sender);
    out += `${id.padEnd(width)} ${String(message.sizeBytes).padStart(isLong ? 8 : 7)} ${arrival(message.envelope.arrivedAt).padEnd(isLong ? 19 : 20)} ${sender}\n`;
    let shown = '';
    for (const { address, reason } of waitingOf(message)) {
      if (reason !== '' && reason !== shown) {
        shown = reason;
        out += `${' '.repeat(Math.max(0, 76 - reason.length))}(${reason})\n`;
      }
      out += `${''.padEnd(width)} ${''.padStart(isLong ? 8 : 7)} ${''.padEnd(isLong ? 19 : 20)} ${toExternal(address)}\n`;
    }
    out += '\n';
  }
  return `${out}-- ${Math.floor(bytes / 1024)} Kbytes in ${messages.length} Request${messages.length === 1 ? '' : 's'}.\n`;
}
