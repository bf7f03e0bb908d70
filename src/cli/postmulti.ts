/** postmulti(1): several instances of the mail system, each with its own configuration, queue and data. */
import { findConfigDirectory } from '#config';
import { openCommandLog } from './command-log.ts';
import type { CliIo } from './io.ts';
import { EditError } from './edit-file.ts';
import { assign, create, drop, enable, initialise, type Instances, ScriptError, take } from './postmulti/edit.ts';
import { listJson, listLine, matching, MultiError, readInstances, selected } from './postmulti/instances.ts';
import { type MultiOptions, parseMulti, usage } from './postmulti/options.ts';
import { runCommand, runPostfix } from './postmulti/run.ts';

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const parsed = parseMulti(args);
  const directory = findConfigDirectory(undefined, io.env);
  if (parsed.kind === 'invalid') {
    io.stderr(`postmulti: ${parsed.complaint}\n`);
    return fail('postmulti', usage, directory, io);
  }
  if (parsed.kind === 'fatal') return fail('postmulti', parsed.text, directory, io);
  try {
    return (await perform(parsed.options, directory, io)) ? 0 : 1;
  } catch (error) {
    if (error instanceof ScriptError) return fail('postfix/postmulti-script', error.message, directory, io);
    if (error instanceof MultiError) return fail('postmulti', error.message, directory, io);
    if (!(error instanceof EditError)) throw error;
    // it is postconf(1) that edits in Postfix, and it speaks up
    io.stderr(`postconf: fatal: ${error.message}\n`);
    return 1;
  }
}

async function perform(options: MultiOptions, directory: string, io: CliIo): Promise<boolean> {
  const { mode, selection, operands, isReversed } = options;
  const instances = readInstances(directory);
  if (mode === 'list') {
    const line = options.asJson ? listJson : listLine;
    const chosen = matching(instances, selection);
    for (const instance of isReversed ? chosen.toReversed() : chosen) io.stdout(line(instance));
    return true;
  }
  if (mode === 'command') return runCommand(operands, selected(instances, selection), isReversed, io.env);
  if (mode === 'postfix') return runPostfix(operands, instances, selected(instances, selection), isReversed, io.env);
  await edit(options, instances);
  return true;
}

async function edit(options: MultiOptions, instances: Instances): Promise<void> {
  const { mode, selection } = options;
  if (mode === 'init') return initialise(instances);
  if (mode === 'create') return create(options, instances);
  if (mode === 'import') return take(options, instances);
  const [instance] = selected(instances, selection);
  if (instance === undefined) return;
  if (mode === 'assign') assign(instance, instances, options);
  else if (mode === 'enable' || mode === 'disable') enable(instance, instances, mode === 'enable');
  else await drop(instance, instances, mode === 'destroy');
}

/** In the log, and before people at a terminal, as with postfix(1). */
async function fail(tag: string, text: string, directory: string, io: CliIo): Promise<number> {
  if ((await io.isTerminal?.('stderr')) === true) io.stderr(`${tag}: fatal: ${text}\n`);
  const log = await openCommandLog(settingsOf(directory));
  log?.channel(tag).emit({ kind: 'fatal', text });
  log?.flush();
  return 1;
}

function settingsOf(directory: string): ReturnType<typeof readInstances>[0]['settings'] | undefined {
  try {
    return readInstances(directory)[0].settings;
  } catch {
    return undefined;
  }
}
