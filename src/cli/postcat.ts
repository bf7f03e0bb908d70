/** postcat(1): shows a queued message, by queue ID from the store. */
import { existsSync } from 'node:fs';
import { ConfigError, findConfigDirectory, openSettings } from '#config';
import { openStore, type QueuedMessage } from '#store';
import { lastValue, parseOptions } from './getopt.ts';
import type { CliIo } from './io.ts';
import { envelopeLines, extractedLines, recipientLines } from './postcat/envelope-lines.ts';

interface Parts {
  readonly envelope: boolean;
  readonly header: boolean;
  readonly body: boolean;
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
  if (marks) mark('MESSAGE CONTENTS');
  await showContent(message, parts, io);
  if (!marks) return;
  mark('HEADER EXTRACTED');
  io.stdout(
    extractedLines(message)
      .map((line) => `${line}\n`)
      .join(''),
  );
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
  if (!letters.has('q')) return lookAtFiles(parsed.operands, io, fatal);
  const bad = parsed.operands.find((queueId) => !validQueueId.test(queueId));
  if (bad !== undefined) return fatal(`bad mail queue ID: ${bad}`);
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

/** What could name a message at all. */
const validQueueId = /^[0-9A-Za-z]{1,255}$/;

/** No file is a message of the queue: it is in a database. */
function lookAtFiles(paths: readonly string[], io: CliIo, fatal: (text: string) => number): number {
  for (const path of paths) {
    if (!existsSync(path)) return fatal(`open ${path}: No such file or directory`);
    io.stderr(`postcat: warning: ${path}: input is not a valid queue file; messages are named by queue ID, with -q\n`);
  }
  return 0;
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
