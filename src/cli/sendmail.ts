/**
 * sendmail(1): submits a message through the maildrop directory, whether the system runs or not; and the other things
 * that programs expect of a command with this name.
 *
 * As in Postfix every fatal error ends with status 75, so that no caller takes it for final.
 */
import { ConfigError, findConfigDirectory, openCommandSettings, type Settings } from '#config';
import { EX_OK, EX_TEMPFAIL } from './exit-status.ts';
import type { CliIo } from './io.ts';
import { refusedDirectory } from './foreign-directory.ts';
import { Reporter } from './reporter.ts';
import { firstLook, parseCommandLine } from './sendmail/command-line.ts';
import type { SendmailMode } from './sendmail/options.ts';
import { submitProblem } from './sendmail/rights.ts';
import { submit } from './sendmail/submit.ts';

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
    case 'smtp': {
      const refused = await submitProblem(io.uid, settings);
      if (refused !== undefined) return reporter.fatal(refused, EX_TEMPFAIL);
      return runOther('smtp-session', [], io, directory);
    }
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
