/** `postfix logrotate`: the log file gets a name of its time, a new one is begun, the old one is compressed. MAILLOG_README */
import { spawnSync } from 'node:child_process';
import { renameSync } from 'node:fs';
import type { Settings } from '#config';
import { thrownText } from '#native';

/** While this lasts, processes may still have the old file open. */
const settleMs = 1000;

/** What went wrong, or undefined. `reload`: makes the running system open its log anew. */
export async function rotateLog(settings: Settings, reload: () => void): Promise<string | undefined> {
  const path = settings.string('maillog_file');
  if (path === '') return "empty 'maillog_file' parameter value - logfile rotation failed";
  if (path.startsWith('/dev/')) return `not rotating '${path}'`;
  const failed = (why: string): string => `logfile rotation failed: ${why}`;
  const suffix = output('date', [`+${settings.string('maillog_file_rotate_suffix')}`]);
  if (suffix.problem !== undefined) return failed(suffix.problem);
  const rotated = `${path}.${suffix.text}`;
  try {
    renameSync(path, rotated);
  } catch (error) {
    return failed(thrownText(error));
  }
  reload();
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const compressed = output(settings.string('maillog_file_compressor'), [rotated]);
  return compressed.problem === undefined ? undefined : failed(compressed.problem);
}

function output(program: string, args: readonly string[]): { readonly text: string; readonly problem?: string } {
  const ran = spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (ran.error !== undefined) return { text: '', problem: ran.error.message };
  if (ran.status !== 0) return { text: '', problem: ran.stderr.trim() || `${program} ended with status ${ran.status}` };
  return { text: ran.stdout.trim() };
}
