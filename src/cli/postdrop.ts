/**
 * postdrop(1): takes records of a message from standard input and puts it into the maildrop directory. Here sendmail(1) does
 * that itself; this is for programs that call it themselves.
 */
import { ConfigError, findConfigDirectory, openCommandSettings, type Settings } from '#config';
import { refusedDirectory } from './foreign-directory.ts';
import { lastValue, parseOptions } from './getopt.ts';
import type { CliIo } from './io.ts';
import { MalformedInput, readRecords } from './postdrop/record-reader.ts';
import { SubmissionReader, UnexpectedRecord } from './postdrop/submission.ts';
import { Reporter } from './reporter.ts';
import { MaildropWriter } from './sendmail/maildrop-writer.ts';
import { senderProblem, submitProblem } from './sendmail/rights.ts';

/** What cleanup(8) would say, as bits. */
const statuses = { ok: 0, bad: 1, tooBig: 4, noPermission: 512 } as const;

type Outcome = { readonly status: number; readonly reason: string };

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const early = new Reporter('postdrop', io, undefined);
  const parsed = parseOptions(args, 'c:rv');
  if (parsed.kind === 'invalid') {
    io.stderr(`postdrop: ${parsed.problem}\n`);
    return early.fatal('usage: postdrop [-c config_dir] [-v]', 1);
  }
  const directory = findConfigDirectory(lastValue(parsed.options, 'c'), io.env);
  const refusal = refusedDirectory(directory, io.uid);
  if (refusal !== undefined) return early.refuse(refusal, 1);
  let settings: Settings;
  try {
    settings = openCommandSettings(directory);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return early.unusable(error, 1);
  }
  const reporter = new Reporter('postdrop', io, settings);
  const refused = await submitProblem(io.uid, settings);
  if (refused !== undefined) return reporter.fatal(refused, 1);
  return drop(settings, io, reporter);
}

async function drop(settings: Settings, io: CliIo, reporter: Reporter): Promise<number> {
  const who = `uid=${io.uid}`;
  const writer = new MaildropWriter(`${settings.string('queue_directory')}/maildrop`);
  io.stdout(attributes({ protocol: 'postdrop_protocol', queue_id: writer.name }));
  const reader = new SubmissionReader((text) => reporter.warnNow(`${who}: ${text}`));
  const content: Buffer[] = [];
  let left = settings.int('message_size_limit') || Infinity;
  try {
    for await (const record of readRecords(io.stdin)) {
      const text = reader.take(record);
      left -= record.data.length;
      if (text !== undefined && left >= 0) content.push(text);
      if (reader.hasEnded || left < 0) break;
    }
  } catch (error) {
    writer.abort();
    await reporter.settle();
    if (error instanceof MalformedInput) {
      await reporter.warn(error.message);
      return reporter.fatal(`${who}: malformed input`, 1);
    }
    if (error instanceof UnexpectedRecord) return reporter.fatal(`${who}: ${error.message}`, 1);
    throw error;
  }
  await reporter.settle();
  if (left < 0) await reporter.warn(`${who}: File too large`);
  // whoever breaks off has thought better of it
  else if (!reader.hasEnded) {
    writer.abort();
    return 0;
  }
  const { status, reason } = await outcomeOf(reader, left < 0, settings, io);
  if (status === statuses.ok) {
    writer.writeEnvelope(reader.envelope(Date.now()));
    for (const part of content) writer.write(part);
    writer.commit();
  } else writer.abort();
  io.stdout(attributes({ status: String(status), reason }));
  return 0;
}

async function outcomeOf(reader: SubmissionReader, isTooBig: boolean, settings: Settings, io: CliIo): Promise<Outcome> {
  const { sender } = reader;
  if (isTooBig) return { status: statuses.tooBig, reason: '' };
  if (sender === undefined || reader.recipientCount === 0) return { status: statuses.bad, reason: '' };
  const problem = await senderProblem(io.uid, sender, settings, io);
  return problem === undefined
    ? { status: statuses.ok, reason: '' }
    : { status: statuses.noPermission, reason: problem };
}

/** Names and values, each with a NUL behind it, and one more at the end. */
function attributes(values: Readonly<Record<string, string>>): string {
  return `${Object.entries(values)
    .map(([name, value]) => `${name}\0${value}\0`)
    .join('')}\0`;
}
