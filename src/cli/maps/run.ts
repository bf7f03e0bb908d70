/** postmap(1) and postalias(1): from the command line to the exit status. */
import { ConfigError, findConfigDirectory, openCommandSettings, type Settings } from '#config';
import { redirectedTable, TableOpener } from '#tables';
import type { CliIo } from '../io.ts';
import { Reporter } from '../reporter.ts';
import { addToMap, createMap, deleteFromMap, type MapTarget } from './change.ts';
import { FatalError, type MapCommandKind } from './kind.ts';
import { queryMessage } from './message-query.ts';
import { type MapOptions, parseMapOptions } from './options.ts';
import { listMap, queryKey, queryLines, type QueryOptions } from './query.ts';

const EXIT_OK = 0;
const EXIT_FAILED = 1;

/** Runs the command; a fatal error is told, and gives status 1. */
export async function runMapCommand(kind: MapCommandKind, args: readonly string[], io: CliIo): Promise<number> {
  let reporter = new Reporter(kind.name, io, undefined);
  try {
    const options = parseMapOptions(args, kind);
    if ('complaint' in options && options.complaint !== undefined) {
      io.stderr(`${kind.name}: ${options.complaint}\n`);
      throw new FatalError(`usage: ${kind.usage}`);
    }
    const directory = findConfigDirectory('complaint' in options ? undefined : options.configDirectory, io.env);
    const settings = openCommandSettings(directory);
    reporter = new Reporter(kind.name, io, settings);
    if ('complaint' in options) throw new FatalError(`usage: ${kind.usage}`);
    return await perform(kind, options, { io, directory, settings, reporter });
  } catch (error) {
    if (!(error instanceof FatalError) && !(error instanceof ConfigError)) throw error;
    await reporter.settle();
    return error instanceof ConfigError
      ? reporter.unusable(error, EXIT_FAILED)
      : reporter.fatal(error.message, EXIT_FAILED);
  }
}

interface Surroundings {
  readonly io: CliIo;
  readonly directory: string;
  readonly settings: Settings;
  readonly reporter: Reporter;
}

async function perform(
  kind: MapCommandKind,
  options: MapOptions,
  { io, directory, settings, reporter }: Surroundings,
): Promise<number> {
  const { action, flags } = options;
  const asksMessage = flags.has('b') || flags.has('h');
  if ((asksMessage || flags.has('m')) && !(action.kind === 'query' && action.key === '-')) {
    throw new FatalError('specify -b -h or -m only with "-q -"');
  }
  const warn = reporter.warnNow;
  const note = reporter.noteNow;
  if (flags.has('m') && !asksMessage) warn('ignoring -m option without -b or -h');
  const opener = new TableOpener({
    settings,
    configDirectory: directory,
    warn,
    note,
    proxyWarn: () => undefined,
    allowsDuplicates: true,
  });
  const isUtf8 = settings.bool('smtputf8_enable') && !flags.has('u');
  const targets = (): readonly MapTarget[] =>
    options.maps.map((map) => {
      const { type, name: path } = redirectedTable(map, settings, note, settings.string('default_database_type'));
      return { kind, myhostname: settings.string('myhostname'), type, path, flags, isUtf8, io, warn };
    });
  const defaultType = settings.string('default_database_type');
  const query: QueryOptions = { kind, opener, maps: options.maps, defaultType, flags, isUtf8, io, warn };
  try {
    return (await act(action, asksMessage, targets, query)) ? EXIT_OK : EXIT_FAILED;
  } finally {
    opener.closeAll();
    await reporter.settle();
  }
}

/** False: what was to be found, or to be deleted, is not there. */
async function act(
  action: MapOptions['action'],
  asksMessage: boolean,
  targets: () => readonly MapTarget[],
  query: QueryOptions,
): Promise<boolean> {
  switch (action.kind) {
    case 'create':
      for (const target of targets()) createMap(target);
      return true;
    case 'add':
      for (const target of targets()) await addToMap(target);
      return true;
    case 'delete': {
      let found = false;
      for (const target of targets()) found = (await deleteFromMap(target, action.key)) || found;
      return found;
    }
    case 'list':
      return listMap(query);
    case 'query':
      // lines of mail need not be UTF-8
      if (asksMessage) return queryMessage({ ...query, isUtf8: false });
      return action.key === '-' ? queryLines(query) : queryKey(query, action.key);
  }
}
