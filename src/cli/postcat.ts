/** postcat(1): shows a queued message, by queue ID from the store. */
import { existsSync } from 'node:fs';
import { toExternal } from '#address';
import { ConfigError, findConfigDirectory, openSettings } from '#config';
import { openStore, type QueuedMessage, type RecipientPart } from '#store';
import { lastValue, parseOptions } from './getopt.ts';
import type { CliIo } from './io.ts';

interface Parts {
  readonly envelope: boolean;
  readonly header: boolean;
  readonly body: boolean;
}

/** asctime(3), local time. */
function asciiTime(at: number): string {
  const [day = '', month = '', date = '', year = '', clock = ''] = new Date(at).toString().split(' ');
  return `${day} ${month} ${String(Number(date)).padStart(2)} ${clock} ${year}`;
}

function attributes({ envelope }: QueuedMessage): readonly (readonly [name: string, value: string])[] {
  const { client, logClient, sasl, uid, encoding, rewriteContext, envid, ret } = envelope;
  const of = (prefix: string, facts: typeof client): readonly (readonly [string, string])[] => [
    [`${prefix}client_name`, facts.name],
    [`${prefix}client_address`, facts.address],
    [`${prefix}client_port`, facts.port],
    [`${prefix}helo_name`, facts.heloName],
    [`${prefix}protocol_name`, facts.protocol],
  ];
  return [
    ['rewrite_context', rewriteContext],
    ['sasl_method', sasl?.method ?? ''],
    ['sasl_username', sasl?.username ?? ''],
    ['sasl_sender', sasl?.sender ?? ''],
    ['log_message_origin', uid === undefined ? `${logClient.name}[${logClient.address}]` : 'local'],
    ...of('log_', logClient),
    ...of('', client),
    ['reverse_client_name', client.reverseName],
    ['server_address', client.serverAddress],
    ['server_port', client.serverPort],
    ['encoding', encoding],
    ['envelope_id', envid],
    ['ret_flags', ret],
  ];
}

/** What sending has to heed, as the bits that Postfix keeps: SMTPUTF8, `TLS-Required: no`, REQUIRETLS. */
function sendOptions({ smtputf8, tlsNotRequired, requireTls }: QueuedMessage['envelope']): number {
  return (smtputf8 ? 0x01 : 0) | (tlsNotRequired === true ? 0x10 : 0) | (requireTls ? 0x20 : 0);
}

function envelopeLines(message: QueuedMessage): readonly string[] {
  const { envelope, recipients, sizeBytes, content } = message;
  const numbers = [sizeBytes, 0, recipients.total, 0, content.sizeBytes, sendOptions(envelope)];
  return [
    `message_size: ${numbers.map((n) => String(n).padStart(15)).join(' ')}`,
    `message_arrival_time: ${asciiTime(envelope.arrivedAt)}`,
    `create_time: ${asciiTime(envelope.arrivedAt)}`,
    `named_attribute: log_ident=${message.queueId}`,
    ...attributes(message)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => `named_attribute: ${name}=${value}`),
    ...(envelope.fullName === '' ? [] : [`sender_fullname: ${envelope.fullName}`]),
    ...(envelope.contentFilter === '' ? [] : [`content_filter: ${envelope.contentFilter}`]),
    ...(envelope.verp === '' ? [] : [`verp_delimiters: ${envelope.verp}`]),
    `sender: ${toExternal(envelope.sender)}`,
  ];
}

function recipientLines(recipients: RecipientPart): readonly string[] {
  return recipients.flatMap(({ address, original, dsnOriginal, notify, state }) => [
    ...(dsnOriginal === '' ? [] : [`named_attribute: dsn_orig_rcpt=${dsnOriginal}`]),
    ...(notify.length === 0 ? [] : [`named_attribute: notify_flags=${notify.join(',')}`]),
    ...(original === '' ? [] : [`original_recipient: ${toExternal(original)}`]),
    `${state === 'done' ? 'done_recipient' : 'recipient'}: ${toExternal(address)}`,
  ]);
}

async function show(message: QueuedMessage, parts: Parts, io: CliIo): Promise<void> {
  const place = `${message.queue}/${message.queueId}`;
  const mark = (text: string): void => io.stdout(`*** ${text} ${place} ***\n`);
  const marks = parts.envelope;
  if (parts.envelope) {
    mark('ENVELOPE RECORDS');
    io.stdout([...envelopeLines(message), ''].join('\n'));
    for (const part of message.recipients.all()) io.stdout([...recipientLines(part), ''].join('\n'));
  }
  if (marks && (parts.header || parts.body)) mark('MESSAGE CONTENTS');
  await showContent(message, parts, io);
  if (!marks) return;
  mark('HEADER EXTRACTED');
  mark('MESSAGE FILE END');
}

/** Header section, body, or both, with LF line ends. */
async function showContent({ content }: QueuedMessage, { header, body }: Parts, io: CliIo): Promise<void> {
  if (!header && !body) return;
  const chunks: Buffer[] = [];
  for await (const chunk of content.chunks()) chunks.push(chunk);
  const whole = Buffer.concat(chunks);
  const from = header ? 0 : content.headerBytes;
  const to = body ? whole.length : content.headerBytes;
  io.stdout(Buffer.from(whole.subarray(from, to).toString('latin1').replaceAll('\r\n', '\n'), 'latin1'));
}

const usage =
  'usage: postcat [-b (body text)] [-c config_dir] [-d (decimal record type)] [-e (envelope records)] ' +
  '[-h (header text)] [-q (access queue)] [-v] [file(s)...]';

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const fatal = (text: string): number => {
    io.stderr(`postcat: fatal: ${text}\n`);
    return 1;
  };
  const parsed = parseOptions(args, 'bc:dehoqrs:v');
  if (parsed.kind === 'invalid') {
    io.stderr(`postcat: ${parsed.problem}\n`);
    return fatal(usage);
  }
  const letters = new Set(parsed.options.map(({ letter }) => letter));
  const isChosen = ['b', 'e', 'h'].some((letter) => letters.has(letter));
  const parts = {
    envelope: !isChosen || letters.has('e'),
    header: !isChosen || letters.has('h'),
    body: !isChosen || letters.has('b'),
  };
  if (!letters.has('q')) return fatal('messages are kept in a database: name them by queue ID with -q');
  if (parsed.operands.length === 0) return fatal(usage);
  try {
    const config = findConfigDirectory(lastValue(parsed.options, 'c'), io.env);
    const directory = openSettings(config).settings.string('queue_directory');
    return await showAll(directory, parsed.operands, parts, io, fatal);
  } catch (error) {
    if (error instanceof ConfigError) return fatal(error.problems.join('\n'));
    if (!(error instanceof Error && 'code' in error && error.code === 'EACCES')) throw error;
    return fatal(`open queue file ${parsed.operands[0] ?? ''}: Permission denied`);
  }
}

async function showAll(
  directory: string,
  queueIds: readonly string[],
  parts: Parts,
  io: CliIo,
  fatal: (text: string) => number,
): Promise<number> {
  if (!existsSync(`${directory}/posthorn.db`))
    return fatal(`open queue file ${queueIds[0] ?? ''}: No such file or directory`);
  const store = await openStore({
    directory,
    longQueueIds: false,
    warn: (text) => io.stderr(`postcat: warning: ${text}\n`),
  });
  try {
    for (const queueId of queueIds) {
      const message = await store.find(queueId);
      if (message === undefined) return fatal(`open queue file ${queueId}: No such file or directory`);
      await show(message, parts, io);
    }
    return 0;
  } finally {
    await store.close();
  }
}
