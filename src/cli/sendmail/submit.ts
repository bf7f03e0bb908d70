/** A message on its way from standard input to the maildrop directory, with all that is told of it. sendmail(1) */
import { toExternal } from '#address';
import type { Settings } from '#config';
import type { MaildropEnvelope } from '#message';
import { EX_OK, EX_TEMPFAIL } from '../exit-status.ts';
import type { CliIo } from '../io.ts';
import { Reporter } from '../reporter.ts';
import { commandLineRecipients } from './command-line.ts';
import { HeaderEnd, headerRecipients, type InputRules, MessageLines } from './input.ts';
import { findLogin, type Login } from './login.ts';
import { MaildropWriter } from './maildrop-writer.ts';
import type { SendmailOptions } from './options.ts';
import { senderProblem, submitProblem } from './rights.ts';

/** An error that ends the command, with the text to show. */
class FatalError extends Error {}

/** The same for a message beyond message_size_limit. */
class TooBigError extends FatalError {}

/** The command's exit status. */
export async function submit(
  options: SendmailOptions,
  settings: Settings,
  io: CliIo,
  reporter: Reporter,
): Promise<number> {
  const found = await findLogin(io.uid);
  // who says as whom the mail goes needs no name
  const login = found ?? (options.sender === undefined ? undefined : { name: '', fullName: '' });
  if (login === undefined) return reporter.fatal(`no login name found for user ID ${io.uid}`, EX_TEMPFAIL);
  const refused = await submitProblem(io.uid, settings);
  if (refused !== undefined) return reporter.fatal(refused, EX_TEMPFAIL);
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
  const rules = { dotIsText: options.dotIsText, lineEnds: lineEndRule(settings) };
  const chunks = bounded(readMessage(source, rules), settings.int('message_size_limit') || Infinity);
  const gathered: Buffer[] = [];
  let recipients = named;
  if (options.extractsRecipients) {
    const header = await gatherHeader(chunks, gathered);
    recipients = [...named, ...headerRecipients(header)];
    if (recipients.length === 0) throw new FatalError('No recipient addresses found in message header');
  }
  const writer = new MaildropWriter(`${settings.string('queue_directory')}/maildrop`);
  try {
    const { notify } = options;
    const known = {
      recipients: recipients.map((address) => ({ address, notify, dsnOriginal: '' })),
      fromHeader: recipients.length - named.length,
    };
    writer.writeEnvelope(envelopeOf(options, sender, known, login, settings, io));
    for (const chunk of gathered) writer.write(chunk);
    for await (const chunk of chunks) writer.write(chunk);
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

/** Throws TooBigError instead of what goes beyond so many bytes. message_size_limit */
async function* bounded(chunks: AsyncIterable<Buffer>, limit: number): AsyncGenerator<Buffer, void> {
  let left = limit;
  for await (const chunk of chunks) {
    left -= chunk.length;
    if (left < 0) throw new TooBigError('message file too big');
    yield chunk;
  }
}

/** Reads until the header section is whole; all that was read goes to `gathered`. */
async function gatherHeader(chunks: AsyncGenerator<Buffer, void>, gathered: Buffer[]): Promise<Buffer> {
  const end = new HeaderEnd();
  for (;;) {
    const { done, value } = await chunks.next();
    if (done === true || value === undefined) return Buffer.concat(gathered);
    gathered.push(value);
    const length = end.push(value);
    if (length !== undefined) return Buffer.concat(gathered).subarray(0, length);
  }
}

/** What the system refused, in strerror(3)'s words. */
async function errorText(error: unknown): Promise<string> {
  const { errnoText, thrownText } = await import('#native');
  const isRefused = error instanceof Error && 'syscall' in error;
  return isRefused ? `error writing queue file: ${errnoText(error)}` : thrownText(error);
}
