/** What postfix(1) says while it starts, stops and checks the system: as `postfix`, and as `postfix/postfix-script`. */
import { compareLevels, type Settings } from '#config';
import { openCommandLog } from './command-log.ts';
import type { CliIo } from './io.ts';

/** `answer`: what the caller asked for, told wherever they read it. */
export type ScriptLog = (text: string, severity?: 'answer' | 'info' | 'warning' | 'fatal') => void;

/** The level that keeps no older default alive. */
const newestLevel = '3.11';

/**
 * Into the log, and to people at a terminal. Postfix leaves others without a word; here scripts and containers are told
 * what is wrong, though not that all is well: cron(8) would send it by mail.
 */
export async function createScriptLog(io: CliIo, settings: Settings): Promise<ScriptLog> {
  const log = await openCommandLog(settings);
  const name = settings.string('syslog_name');
  const isWatched = (await io.isTerminal?.('stderr')) === true;
  // systemd would show the line twice: it keeps standard error beside syslog
  const isInJournal = settings.string('maillog_file') === '' && io.env['JOURNAL_STREAM'] !== undefined;
  for (const text of oldDefaults(settings)) {
    if (isWatched) io.stderr(`postfix: ${text}\n`);
    log?.channel(name).emit({ kind: 'note', text });
  }
  const channel = log?.channel(`${name}/postfix-script`);
  log?.flush();
  return (text, severity = 'info') => {
    const isBad = severity === 'warning' || severity === 'fatal';
    if (isWatched || severity === 'answer' || (isBad && !isInJournal))
      io.stderr(`postfix/postfix-script: ${isBad ? `${severity}: ` : ''}${text}\n`);
    channel?.emit(isBad ? { kind: severity, text } : { kind: 'script', text });
    log?.flush();
  };
}

/** A main.cf of an older Postfix behaves as it did then, and whoever runs it is told so each time. COMPATIBILITY_README */
function oldDefaults(settings: Settings): readonly string[] {
  const difference = compareLevels(settings.string('compatibility_level'), newestLevel);
  if (difference === undefined || difference >= 0) return [];
  return [
    'Postfix is using backwards-compatible default settings',
    'See https://www.postfix.org/COMPATIBILITY_README.html for details',
    `To disable backwards compatibility use "postconf compatibility_level=${newestLevel}" and "postfix reload"`,
  ];
}
