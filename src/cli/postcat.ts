/** postcat(1): shows a queued message, as the records that Postfix would keep of it. */
import { existsSync, lstatSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ConfigError, findConfigDirectory, openCommandSettings, type Settings } from '#config';
import { openMaildropFile } from '#pickup';
import { openStore, type QueuedMessage } from '#store';
import { lastValue, parseOptions } from './getopt.ts';
import type { CliIo } from './io.ts';
import { readAll } from './maps/input.ts';
import { envelopeRecords, extractedRecords, maildropRecords, recipientRecords } from './postcat/envelope-records.ts';
import { type PrintOptions, RecordPrinter } from './postcat/printer.ts';
import { queuePath } from './postcat/queue-path.ts';
import { isQueueId } from './queue-id.ts';
import { becomeQueueOwner } from './queue-owner.ts';

async function show(message: QueuedMessage, place: string, options: PrintOptions, io: CliIo): Promise<void> {
  const printer = new RecordPrinter(options, place, (text) => io.stdout(text));
  printer.title(`*** ENVELOPE RECORDS ${place} ***`);
  printer.envelope(envelopeRecords(message));
  for (const part of message.recipients.all()) printer.envelope(recipientRecords(part));
  printer.mark('M', `*** MESSAGE CONTENTS ${place} ***`);
  const isContentShown = options.header || options.body;
  if (isContentShown || options.offsets) {
    const { content } = message;
    printer.content(await readAll(content.chunks()), content.headerBytes);
  }
  printer.mark('X', `*** HEADER EXTRACTED ${place} ***`);
  printer.envelope(extractedRecords(message));
  printer.mark('E', `*** MESSAGE FILE END ${place} ***`);
}

/** A message that waits for pickup(8); false where there is none. */
async function showMaildrop(path: string, place: string, options: PrintOptions, io: CliIo): Promise<boolean> {
  const opened = await openMaildropFile(path);
  if (opened.kind !== 'open') return false;
  await using file = opened.file;
  const content = await readAll(file.content());
  const printer = new RecordPrinter(options, place, (text) => io.stdout(text));
  printer.title(`*** ENVELOPE RECORDS ${place} ***`);
  printer.envelope(maildropRecords(file.envelope));
  printer.mark('M', `*** MESSAGE CONTENTS ${place} ***`);
  const headerEnd = content.indexOf('\r\n\r\n');
  printer.content(content, headerEnd < 0 ? content.length : headerEnd + 2);
  printer.mark('X', `*** HEADER EXTRACTED ${place} ***`);
  printer.mark('E', `*** MESSAGE FILE END ${place} ***`);
  return true;
}

const usage =
  'usage: postcat [-b (body text)] [-c config_dir] [-d (decimal record type)] [-e (envelope records)] ' +
  '[-h (header text)] [-q (access queue)] [-v] [file(s)...]';

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const fatal = (text: string): number => {
    io.stderr(`postcat: fatal: ${text}\n`);
    return 1;
  };
  const parsed = parseOptions(args, 'bc:defhoqrs:v');
  if (parsed.kind === 'invalid') {
    io.stderr(`postcat: ${parsed.problem}\n`);
    return fatal(usage);
  }
  const letters = new Set(parsed.options.map(({ letter }) => letter));
  const isChosen = ['b', 'e', 'h'].some((letter) => letters.has(letter));
  const from = lastValue(parsed.options, 's') ?? '0';
  if (!/^\d+$/.test(from)) return fatal(`bad offset: ${from}`);
  const options: PrintOptions = {
    envelope: !isChosen || letters.has('e'),
    header: !isChosen || letters.has('h'),
    body: !isChosen || letters.has('b'),
    files: letters.has('f'),
    offsets: letters.has('o'),
    types: letters.has('d'),
    names: letters.has('v'),
    from: Number(from),
  };
  const config = findConfigDirectory(lastValue(parsed.options, 'c'), io.env);
  const isQueue = letters.has('q');
  try {
    const settings = openCommandSettings(config);
    // without a queue ID, too, it is standard input that is looked at
    if (!isQueue || parsed.operands.length === 0) return await lookAtFiles(parsed.operands, options, io, fatal);
    const bad = parsed.operands.find((queueId) => !isQueueId(queueId));
    if (bad !== undefined) return fatal(`bad mail queue ID: ${bad}`);
    return await showAll(settings, parsed.operands, options, io, fatal);
  } catch (error) {
    if (error instanceof ConfigError) return fatal(error.problems.join('\n'));
    if (!(error instanceof Error && 'code' in error && error.code === 'EACCES')) throw error;
    return fatal(`open ${isQueue ? 'queue file ' : ''}${parsed.operands[0] ?? ''}: Permission denied`);
  }
}

/** Messages of the queue are in a database: files are those that sendmail(1) left. */
async function lookAtFiles(
  paths: readonly string[],
  options: PrintOptions,
  io: CliIo,
  fatal: (text: string) => number,
): Promise<number> {
  const reject = (name: string): void => io.stderr(`postcat: warning: ${name}: input is not a valid queue file\n`);
  if (paths.length === 0) {
    if ((await readAll(io.stdin)).length > 0) reject('stdin');
  }
  for (const path of paths) {
    if (!existsSync(path)) return fatal(`open ${path}: No such file or directory`);
    const isMaildrop = lstatSync(path).isFile() && basename(dirname(path)) === 'maildrop';
    if (!isMaildrop || !(await showMaildrop(path, path, options, io))) reject(path);
  }
  return 0;
}

async function showAll(
  settings: Settings,
  queueIds: readonly string[],
  options: PrintOptions,
  io: CliIo,
  fatal: (text: string) => number,
): Promise<number> {
  const directory = settings.string('queue_directory');
  const problem = await becomeQueueOwner(settings, io);
  if (problem !== undefined) return fatal(problem);
  const hashing = { names: settings.list('hash_queue_names'), depth: settings.int('hash_queue_depth') };
  const missing = (queueId: string): number => fatal(`open queue file ${queueId}: No such file or directory`);
  const warn = (text: string): void => io.stderr(`postcat: warning: ${text}\n`);
  const hasStore = existsSync(`${directory}/posthorn.db`);
  const store = hasStore ? await openStore({ directory, longQueueIds: false, warn }) : undefined;
  try {
    for (const queueId of queueIds) {
      const message = await store?.find(queueId);
      const path = `${directory}/maildrop/${queueId}`;
      if (message !== undefined) await show(message, queuePath(message.queue, message.queueId, hashing), options, io);
      else if (!existsSync(path) || !(await showMaildrop(path, `maildrop/${queueId}`, options, io)))
        return missing(queueId);
    }
    return 0;
  } finally {
    await store?.close();
  }
}
