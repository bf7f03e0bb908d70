/** postmulti(1): several instances of the mail system, each with its own configuration, queue and data. */
import { ConfigError, findConfigDirectory } from '#config';
import { openCommandLog } from './command-log.ts';
import type { CliIo } from './io.ts';
import { EditError } from './edit-file.ts';
import { create, take } from './postmulti/create.ts';
import { assign, enable, initialise, type Instances, ScriptError } from './postmulti/edit.ts';
import { drop } from './postmulti/drop.ts';
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
    if (error instanceof ConfigError) return fail('postmulti', error.problems.join('; '), directory, io);
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
  const surroundings = { env: io.env, complain: (text: string) => fail('postmulti', text, directory, io) };
  if (mode === 'command') return runCommand(operands, selected(instances, selection), isReversed, surroundings);
  if (mode === 'postfix')
    return runPostfix(operands, instances, selected(instances, selection), isReversed, surroundings);
  for (const path of await edit(options, instances))
    await say('postfix/postmulti-script', 'warning', `${path} stays: look at what it holds and remove it by hand`, {
      directory,
      io,
      isForAll: true,
    });
  return true;
}

/** Gives what stays of a destroyed instance. */
async function edit(options: MultiOptions, instances: Instances): Promise<readonly string[]> {
  const { mode, selection } = options;
  const [instance] = mode === 'init' || mode === 'create' || mode === 'import' ? [] : selected(instances, selection);
  if (mode === 'init') initialise(instances);
  else if (mode === 'create') create(options, instances);
  else if (mode === 'import') take(options, instances);
  else if (instance === undefined) return [];
  else if (mode === 'assign') assign(instance, instances, options);
  else if (mode === 'enable' || mode === 'disable') enable(instance, instances, mode === 'enable');
  else return drop(instance, instances, mode === 'destroy');
  return [];
}

async function fail(tag: string, text: string, directory: string, io: CliIo): Promise<number> {
  await say(tag, 'fatal', text, { directory, io, isForAll: false });
  return 1;
}

interface Audience {
  /** Of the primary instance, whose log it is. */
  readonly directory: string;
  readonly io: CliIo;
  readonly isForAll: boolean;
}

/** In the log, and before people at a terminal, as with postfix(1); before all where no log can be reached. */
async function say(tag: string, kind: 'fatal' | 'warning', text: string, audience: Audience): Promise<void> {
  const { directory, io, isForAll } = audience;
  const log = await openCommandLog(settingsOf(directory));
  if (isForAll || log === undefined || (await io.isTerminal?.('stderr')) === true)
    io.stderr(`${tag}: ${kind}: ${text}\n`);
  log?.channel(tag).emit({ kind, text });
  log?.flush();
}

function settingsOf(directory: string): ReturnType<typeof readInstances>[0]['settings'] | undefined {
  try {
    return readInstances(directory)[0].settings;
  } catch {
    return undefined;
  }
}
