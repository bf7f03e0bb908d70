/**
 * postlock(1): runs a command while a mailbox is locked as local(8) would lock it. As in Postfix, what goes wrong before the
 * command runs may be tried again later (75).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ConfigError, findConfigDirectory, openCommandSettings, type Settings, splitList } from '#config';
import { lockMailbox } from '#delivery';
import { EX_TEMPFAIL } from './exit-status.ts';
import { lastValue, parseOptions } from './getopt.ts';
import type { CliIo } from './io.ts';
import { systemErrorText } from './system-error.ts';

const usage = 'usage: postlock [-c config_dir] [-l lock_style] [-v] folder command...';
const lockKinds: readonly string[] = ['flock', 'fcntl', 'dotlock'];

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const fatal = (text: string, status = EX_TEMPFAIL): number => {
    io.stderr(`postlock: fatal: ${text}\n`);
    return status;
  };
  const parsed = parseOptions(args, 'c:l:v', true);
  if (parsed.kind === 'invalid') {
    io.stderr(`postlock: ${parsed.problem}\n`);
    return fatal(usage);
  }
  const [folder, command, ...rest] = parsed.operands;
  if (folder === undefined || command === undefined) return fatal(usage);
  let settings: Settings;
  try {
    settings = openCommandSettings(findConfigDirectory(lastValue(parsed.options, 'c'), io.env));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return fatal(error.problems.join('\n'));
  }
  const style = lastValue(parsed.options, 'l') ?? settings.string('mailbox_delivery_lock');
  const kinds = splitList(style);
  const unknown = kinds.find((kind) => !lockKinds.includes(kind));
  if (unknown !== undefined) return fatal(`unknown mailbox_delivery_lock value "${unknown}" in "${style}"`);
  let lock: Awaited<ReturnType<typeof lockMailbox>>;
  try {
    lock = await lockMailbox(folder, {
      kinds,
      attempts: settings.int('deliver_lock_attempts'),
      delayMs: settings.ms('deliver_lock_delay'),
      staleMs: settings.ms('stale_lock_time'),
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return fatal(`open file ${folder}: ${error.message}`);
  }
  try {
    return await statusOf(command, rest, (text) => fatal(text, 1));
  } finally {
    await lock.release();
  }
}

/** The command's exit status; 1 for one that a signal ended. */
async function statusOf(command: string, args: readonly string[], fatal: (text: string) => number): Promise<number> {
  try {
    const child = spawn(command, args, { stdio: 'inherit' });
    const [code]: readonly unknown[] = await once(child, 'exit');
    return typeof code === 'number' ? code : 1;
  } catch (error) {
    return fatal(`execvp ${command}: ${systemErrorText(error)}`);
  }
}
