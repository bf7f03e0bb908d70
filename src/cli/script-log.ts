/** What postfix(1) says while it starts, stops and checks the system, as `postfix/postfix-script`. */
import type { Settings } from '#config';
import { openCommandLog } from './command-log.ts';
import type { CliIo } from './io.ts';

/** `answer`: what the caller asked for, told wherever they read it. */
export type ScriptLog = (text: string, severity?: 'answer' | 'info' | 'warning' | 'fatal') => void;

/**
 * Into the log, and to people at a terminal. Postfix leaves others without a word; here scripts and containers are told
 * what is wrong, though not that all is well: cron(8) would send it by mail.
 */
export async function createScriptLog(io: CliIo, settings: Settings): Promise<ScriptLog> {
  const log = await openCommandLog(settings);
  const channel = log?.channel(`${settings.string('syslog_name')}/postfix-script`);
  const isWatched = (await io.isTerminal?.('stderr')) === true;
  // systemd would show the line twice: it keeps standard error beside syslog
  const isInJournal = settings.string('maillog_file') === '' && io.env['JOURNAL_STREAM'] !== undefined;
  return (text, severity = 'info') => {
    const isBad = severity === 'warning' || severity === 'fatal';
    if (isWatched || severity === 'answer' || (isBad && !isInJournal))
      io.stderr(`postfix/postfix-script: ${isBad ? `${severity}: ` : ''}${text}\n`);
    channel?.emit(isBad ? { kind: severity, text } : { kind: 'script', text });
    log?.flush();
  };
}
