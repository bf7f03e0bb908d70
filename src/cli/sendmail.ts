/**
 * sendmail(1): submits a message through the maildrop directory, whether the system runs or not; and the other things
 * that programs expect of a command with this name.
 *
 * As in Postfix every fatal error ends with status 75, so that no caller takes it for final.
 */
import { ConfigError, findConfigDirectory, openCommandSettings, type Settings } from '#config';
import { formatMaildropEnvelope, type MaildropEnvelope } from '#message';
import { toExternal } from '#address';
import type { CliIo } from './io.ts';
import { headerLength, headerRecipients, type InputRules, MessageLines } from './sendmail/input.ts';
import { findLogin, type Login } from './sendmail/login.ts';
import { MaildropWriter } from './sendmail/maildrop-writer.ts';
import { commandLineRecipients, firstLook, parseCommandLine } from './sendmail/command-line.ts';
import type { SendmailMode, SendmailOptions } from './sendmail/options.ts';
import { refusedDirectory } from './foreign-directory.ts';
import { Reporter } from './reporter.ts';
import { refusedSubmitter, senderProblem } from './sendmail/rights.ts';

const EX_OK = 0;
const EX_TEMPFAIL = 75;

/** An error that ends the command, with the text to show. */
class FatalError extends Error {}

/** The same for a message beyond message_size_limit. */
class TooBigError extends FatalError {}

/** The name that it was called by, and what that means without options. */
export interface CalledAs {
  readonly name: string;
  readonly mode: SendmailMode;
}

export function run(args: readonly string[], io: CliIo): Promise<number> {
  return runAs({ name: 'sendmail', mode: 'deliver' }, args, io);
}

export async function runAs({ name, mode }: CalledAs, args: readonly string[], io: CliIo): Promise<number> {
  const { configDirectory, complaints } = firstLook(args);
  // Postfix reads the options twice, and getopt(3) complains each time
  for (const complaint of complaints) io.stderr(`${name}: ${complaint}\n`);
  const directory = findConfigDirectory(configDirectory, io.env);
  if (configDirectory !== undefined) {
    const refusal = refusedDirectory(directory, io.uid);
    if (refusal !== undefined) return new Reporter(name, io, undefined).refuse(refusal, EX_TEMPFAIL);
  }
  let settings: Settings;
  try {
    settings = openCommandSettings(directory);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return new Reporter(name, io, undefined).unusable(error, EX_TEMPFAIL);
  }
  const reporter = new Reporter(name, io, settings);
  const parsed = parseCommandLine(args, mode);
  for (const warning of parsed.warnings) await reporter.warn(warning);
  if (parsed.kind === 'invalid') {
    io.stderr(`${name}: ${parsed.complaint}\n`);
    return reporter.fatal(`usage: ${name} [options]`, EX_TEMPFAIL);
  }
  if (parsed.kind === 'fatal') return reporter.fatal(parsed.text, EX_TEMPFAIL);
  const { options } = parsed;
  const filter = settings.string('verp_delimiter_filter');
  if (!isVerp(options.verp, filter)) {
    return reporter.fatal(`-V requires two characters from ${filter}`, EX_TEMPFAIL);
  }
  if (options.site !== undefined) return runOther('postqueue', ['-s', options.site], io, directory);
  if (options.queueId !== undefined) return runOther('postqueue', ['-i', options.queueId], io, directory);
  switch (options.mode) {
    case 'deliver':
      return submit(options, settings, io, reporter);
    case 'mailq':
      return runOther('postqueue', ['-p'], io, directory);
    case 'flush':
      return runOther('postqueue', ['-f'], io, directory);
    case 'newaliases': {
      const { makeAliases } = await import('./sendmail/new-aliases.ts');
      return makeAliases(options.aliasDatabase, directory, settings, io);
    }
    case 'daemon':
      // as in Postfix, where nobody waits for how it goes: init scripts start what runs already
      await runOther('postfix', ['start'], io, directory);
      return EX_OK;
    case 'smtp':
      return runOther('smtp-session', [], io, directory);
    case 'ignore':
      return EX_OK;
  }
}

/** Delimiters of VERP, where they are given. verp_delimiter_filter */
function isVerp(delimiters: string | undefined, filter: string): boolean {
  if (delimiters === undefined || delimiters === 'default') return true;
  return delimiters.length === 2 && delimiters.split('').every((delimiter) => filter.includes(delimiter));
}

/** Commands that do some of what sendmail is asked for. */
const others = {
  postqueue: () => import('./postqueue.ts'),
  postfix: () => import('./postfix.ts'),
  'smtp-session': () => import('./smtp-session.ts'),
};

/** Another command does it, in this process. */
async function runOther(
  name: keyof typeof others,
  args: readonly string[],
  io: CliIo,
  directory: string,
): Promise<number> {
  const { run: other } = await others[name]();
  return other(args, { ...io, env: { ...io.env, MAIL_CONFIG: directory } });
}

async function submit(options: SendmailOptions, settings: Settings, io: CliIo, reporter: Reporter): Promise<number> {
  const found = await findLogin(io.uid);
  // who says as whom the mail goes needs no name
  const login = found ?? (options.sender === undefined ? undefined : { name: '', fullName: '' });
  if (login === undefined) return reporter.fatal(`no login name found for user ID ${io.uid}`, EX_TEMPFAIL);
  const refused = await refusedSubmitter(io.uid, settings);
  if (refused !== undefined) return reporter.fatal(`User ${refused} is not allowed to submit mail`, EX_TEMPFAIL);
  const who = `${options.sender ?? login.name}(${io.uid})`;
  const named = commandLineRecipients(options.recipients);
  try {
    if (options.verp !== undefined && options.sender === '') {
      return reporter.fatal(`${who}: -V option requires non-null sender address`, EX_TEMPFAIL);
    }
    if (!options.extractsRecipients && named.length === 0) {
      throw new FatalError('Recipient addresses must be specified on the command line or via the -t option');
    }
    const refusedSender = await senderProblem(io.uid, options.sender ?? login.name, settings, io);
    if (refusedSender !== undefined) throw new FatalError(refusedSender);
    await writeMessage(options, named, login, settings, io);
  } catch (error) {
    if (error instanceof TooBigError) {
      await new Reporter('postdrop', io, settings).warn(`uid=${io.uid}: File too large`);
      await reporter.warn('mail_stream_cleanup: close error');
    }
    return reporter.fatal(`${who}: ${await errorText(error)}`, EX_TEMPFAIL);
  }
  if (options.verifies || options.verbosity === 1) {
    const sender = toExternal(options.sender ?? login.name);
    io.stdout(`Mail Delivery Status Report will be mailed to <${sender}>.\n`);
  }
  return EX_OK;
}

/** Puts the message into the maildrop directory. Throws when nothing was kept. */
async function writeMessage(
  options: SendmailOptions,
  named: readonly string[],
  login: Login,
  settings: Settings,
  io: CliIo,
): Promise<void> {
  const sender = options.sender ?? login.name;
  const source = options.verifies ? [probe(sender, named)] : io.stdin;
  const chunks = readMessage(source, { dotIsText: options.dotIsText, lineEnds: lineEndRule(settings) });
  const gathered: Buffer[] = [];
  const recipients = [...named];
  if (options.extractsRecipients) {
    const header = await gatherHeader(chunks, gathered);
    recipients.push(...headerRecipients(header));
    if (recipients.length === 0) throw new FatalError('No recipient addresses found in message header');
  }
  const writer = new MaildropWriter(`${settings.string('queue_directory')}/maildrop`);
  try {
    const known = { recipients, fromHeader: recipients.length - named.length };
    const envelope = envelopeOf(options, sender, known, login, settings, io);
    writer.write(Buffer.from(formatMaildropEnvelope(envelope)));
    let left = settings.int('message_size_limit') || Infinity;
    for await (const chunk of concatenated(gathered, chunks)) {
      left -= chunk.length;
      if (left < 0) throw new TooBigError('message file too big');
      writer.write(chunk);
    }
  } catch (error) {
    writer.abort();
    throw error;
  }
  writer.commit();
}

function envelopeOf(
  options: SendmailOptions,
  sender: string,
  known: Pick<MaildropEnvelope, 'recipients' | 'fromHeader'>,
  login: Login,
  settings: Settings,
  io: CliIo,
): MaildropEnvelope {
  return {
    format: 1,
    createdAt: Date.now(),
    sender,
    // an empty NAME asks for none
    fullName: options.fullName ?? io.env['NAME'] ?? login.fullName,
    ...known,
    notify: options.notify,
    ret: options.ret,
    envid: options.envid,
    encoding: options.encoding,
    rewriteContext: options.rewriteContext,
    verp: options.verp === 'default' ? settings.string('default_verp_delimiters') : (options.verp ?? ''),
    trace: options.verifies ? 'verify' : options.verbosity === 1 ? 'record' : '',
    requireTls: options.requireTls,
    smtputf8: options.smtputf8,
  };
}

function lineEndRule(settings: Settings): InputRules['lineEnds'] {
  const word = settings.string('sendmail_fix_line_endings').toLowerCase();
  return word === 'strict' || word === 'never' ? word : 'always';
}

/** The message that stands for `-bv`. */
function probe(sender: string, recipients: readonly string[]): Buffer {
  const to = recipients.map(toExternal).join(',\n\t');
  return Buffer.from(`From: ${toExternal(sender)}\nSubject: probe\nTo:\t${to}\n`);
}

async function* readMessage(
  source: AsyncIterable<Buffer> | Iterable<Buffer>,
  rules: InputRules,
): AsyncGenerator<Buffer, void> {
  const lines = new MessageLines(rules);
  for await (const chunk of source) {
    const part = lines.push(chunk);
    if (part.length > 0) yield part;
    if (lines.hasEnded) return;
  }
  const last = lines.finish();
  if (last.length > 0) yield last;
}

/** Reads until the header section is whole; all that was read goes to `gathered`. */
async function gatherHeader(chunks: AsyncGenerator<Buffer, void>, gathered: Buffer[]): Promise<Buffer> {
  for (;;) {
    const { done, value } = await chunks.next();
    if (done === true || value === undefined) return Buffer.concat(gathered);
    gathered.push(value);
    const data = Buffer.concat(gathered);
    const length = headerLength(data);
    if (length !== undefined) return data.subarray(0, length);
  }
}

async function* concatenated(first: readonly Buffer[], rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* first;
  yield* rest;
}

/** What the system refused, in strerror(3)'s words. */
async function errorText(error: unknown): Promise<string> {
  if (error instanceof Error && 'syscall' in error) {
    const { errnoText } = await import('#native');
    return `error writing queue file: ${errnoText(error)}`;
  }
  return error instanceof Error ? error.message : String(error);
}
