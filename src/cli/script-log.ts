/** What postfix(1) says while it starts, stops and checks the system: as `postfix`, and as `postfix/postfix-script`. */
import { compareLevels, type Settings } from '#config';
import { openCommandLog } from './command-log.ts';
import type { CliIo } from './io.ts';
import { visible } from './printable.ts';

/** `refusal` and `concern`: a fatal error, a warning, that is told wherever it is read. `logged`: a refusal that the log has. */
export type ScriptLog = (
  text: string,
  severity?: 'info' | 'warning' | 'concern' | 'error' | 'fatal' | 'refusal' | 'logged',
) => void;

/** The level that keeps no older default alive. */
const newestLevel = '3.11';

/**
 * `script`: the one that would speak in Postfix. Into the log, and to people at a terminal. Postfix leaves others without a word, and the exit status tells them whether
 * the system runs; what is wrong with a configuration, scripts and containers are told here;
 * and so they are of failures that no log can be told of.
 */
export async function createScriptLog(io: CliIo, settings: Settings, script = 'postfix-script'): Promise<ScriptLog> {
  const log = await openCommandLog(settings);
  const name = settings.string('syslog_name');
  const isWatched = (await io.isTerminal?.('stderr')) === true;
  // systemd would show the line twice: it keeps standard error beside syslog
  const isInJournal = settings.string('maillog_file') === '' && io.env['JOURNAL_STREAM'] !== undefined;
  for (const text of oldDefaults(settings)) {
    if (isWatched) io.stderr(`postfix: ${text}\n`);
    log?.channel('postfix').emit({ kind: 'note', text });
  }
  const channel = log?.channel(`${name}/${script}`);
  log?.flush();
  return (text, severity = 'info') => {
    const isRefusal = severity === 'refusal' || severity === 'logged';
    const kind = isRefusal ? 'fatal' : severity === 'concern' ? 'warning' : severity;
    const isUnheard = channel === undefined && (kind === 'error' || kind === 'fatal');
    const isForAll = isUnheard || ((severity === 'concern' || isRefusal) && !isInJournal);
    if (isWatched || isForAll) io.stderr(`postfix/${script}: ${kind === 'info' ? '' : `${kind}: `}${visible(text)}\n`);
    if (severity === 'logged') return;
    channel?.emit(kind === 'info' ? { kind: 'script', text } : { kind, text });
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
