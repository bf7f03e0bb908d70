/** postconf(1): shows and changes main.cf and master.cf. */
import { readFileSync } from 'node:fs';
import {
  compareLevels,
  ConfigError,
  expandValue,
  findConfigDirectory,
  type MainFile,
  type MasterText,
  openSettings,
  parseMainFile,
  readMasterText,
  splitAssignment,
} from '#config';
import { textOf } from '#message';
import type { CliIo } from './io.ts';
import { EditError } from './edit-file.ts';
import { systemErrorText } from './system-error.ts';
import { changeMain, changeMaster } from './postconf/change.ts';
import { findKnownNames, type NameClass, unusedInMain, unusedInMaster } from './postconf/known-names.ts';
import { builtInText } from './postconf/lists.ts';
import { MacroError, showMain } from './postconf/main-parameters.ts';
import { type MasterMode, showMaster } from './postconf/master-entries.ts';
import { type ChangeKind, type Mode, parsePostconf, type PostconfOptions } from './postconf/options.ts';
import { printableAscii } from './printable.ts';

class Fatal extends Error {
  readonly tag: string;
  constructor(text: string, tag = 'postconf') {
    super(text);
    this.tag = tag;
  }
}

type ShownMode = 'main' | MasterMode;
type BuiltInMode = Exclude<Mode, ShownMode>;

function isShownMode(mode: Mode): mode is ShownMode {
  return mode === 'main' || mode === 'entries' || mode === 'fields' || mode === 'entryParameters';
}

function readFile(path: string): { readonly content: string } | { readonly problem: string } {
  try {
    return { content: textOf(readFileSync(path)) };
  } catch (error) {
    return { problem: `open ${path}: ${systemErrorText(error)}` };
  }
}

function readMain(path: string, warn: (text: string) => void): MainFile {
  const file = readFile(path);
  if ('problem' in file) throw new Fatal(file.problem);
  return parseMainFile(path, file.content, warn);
}

function readOverrides(texts: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    texts.map((text) => {
      const cut = splitAssignment(text);
      if (typeof cut === 'string') {
        throw new Fatal(`invalid parameter override: ${text}: ${cut.replace(/: ".*"$/, '')}`);
      }
      return [cut.name, cut.value] as const;
    }),
  );
}

const allClasses: readonly NameClass[] = ['builtin', 'service', 'user'];

function readClasses(text: string | undefined): ReadonlySet<NameClass> {
  if (text === undefined) return new Set(allClasses);
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  return new Set(
    words.flatMap((word) => {
      const asked = word.toLowerCase();
      if (asked === 'all') return allClasses;
      const known = allClasses.find((name) => name === asked);
      if (known === undefined) throw new Fatal(`unknown -C option value "${word}" in "${text}"`);
      return [known];
    }),
  );
}

function readMaster(path: string, isNeeded: boolean, warn: (text: string) => void): MasterText {
  const file = readFile(path);
  if ('problem' in file) {
    if (isNeeded) throw new Fatal(file.problem);
    warn(file.problem);
    return { lines: [], entries: [] };
  }
  const master = readMasterText(path, file.content, warn);
  if (typeof master === 'string') throw new Fatal(master);
  return master;
}

interface Run {
  readonly options: PostconfOptions;
  readonly directory: string;
  readonly io: CliIo;
  readonly warn: (text: string) => void;
}

/** Shows parameters or services, then warns of names that nothing uses. */
function show({ options, directory, io, warn }: Run, mode: ShownMode): void {
  const { showsDefaults } = options;
  const classes = readClasses(options.classText);
  const path = `${directory}/main.cf`;
  const main = showsDefaults ? parseMainFile(path, '') : readMain(path, warn);
  const overrides = readOverrides(options.overrides);
  const { settings, registry } = openSettings(directory, { main, overrides, processName: 'postconf' });
  // below level 1, and after a line that continues nothing, Postfix reads main.cf again
  const level = /^[\d.]+$/.test(settings.raw('compatibility_level') ?? '')
    ? settings.string('compatibility_level')
    : '';
  const isOld = level !== '' && (compareLevels(level, '1') ?? 0) < 0;
  if (isOld || main.warnings.some((text) => text.includes('must not start with whitespace'))) {
    for (const text of main.warnings) warn(text);
  }
  const masterPath = `${directory}/master.cf`;
  const master = readMaster(masterPath, mode !== 'main', warn);
  for (const { entry } of master.entries) registry.addService(entry.fields.service, entry.fields.command);
  const expand = (text: string): string => {
    const expansion = expandValue(text, (name) => settings.raw(name));
    if (expansion.kind === 'ok') return expansion.text;
    warn(expansion.reason);
    throw new MacroError('macro processing error');
  };
  const text = { main, overrides, master, masterPath, registry, expand };
  const names = findKnownNames(text, showsDefaults ? () => undefined : warn);
  if (mode === 'main') {
    const namesDirectory = options.directory !== undefined || io.env['MAIL_CONFIG'] !== undefined;
    const registered = registry.names();
    const write = (lines: string): void => io.stdout(lines);
    showMain({ options, settings, names, registered, classes, namesDirectory, warn, write });
    if (!showsDefaults && !options.isQuiet)
      for (const unused of unusedInMain(main, registry, names, overrides)) warn(unused);
  } else {
    const shown = showMaster({ options, mode, master, settings, registry, names, warn });
    if (typeof shown !== 'string') throw new Fatal(shown.fatal);
    io.stdout(shown);
  }
  if (!showsDefaults && !options.isQuiet)
    for (const unused of unusedInMaster(masterPath, master, registry, names)) warn(unused);
}

/** What is not in the files; gives the exit status. */
async function showBuiltIn({ options, directory, io, warn }: Run, mode: BuiltInMode): Promise<number> {
  const [path, ...more] = options.operands;
  if (more.length > 0 && (mode === 'templates' || mode === 'expandedTemplates')) {
    throw new Fatal('options -b and -t require at most one template file');
  }
  const settings = (): ReturnType<typeof openSettings>['settings'] =>
    openSettings(directory, { main: readMain(`${directory}/main.cf`, warn) }).settings;
  const openProblem = (text: string): never => {
    throw new Fatal(text, 'postfix/bounce');
  };
  // as in Postfix the program that uses the templates speaks of them
  const warnOfTemplate = (problem: string): void => io.stderr(`postfix/bounce: warning: ${printableAscii(problem)}\n`);
  const request = { settings, path, warn: warnOfTemplate, openProblem };
  const text = await builtInText(mode, options.tlsTopic, request);
  if (typeof text === 'string') {
    io.stdout(text);
    return 0;
  }
  warn(text.warning);
  return 1;
}

function change({ options, directory, warn }: Run, mode: ShownMode, kind: ChangeKind): void {
  if (mode === 'main') changeMain(`${directory}/main.cf`, kind, options.operands, warn);
  else changeMaster(`${directory}/master.cf`, mode, kind, options.operands, warn);
}

/** The lines of a failure; undefined for what is a bug. */
function fatalLines(error: unknown): readonly string[] | undefined {
  if (error instanceof Fatal) return [`${error.tag}: fatal: ${error.message}`];
  if (error instanceof ConfigError) return error.problems.map((problem) => `postconf: fatal: ${problem}`);
  if (error instanceof EditError || error instanceof MacroError || (error instanceof Error && 'syscall' in error)) {
    return [`postconf: fatal: ${error.message}`];
  }
  return undefined;
}

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const parsed = parsePostconf(args);
  if ('fatal' in parsed) {
    for (const line of parsed.lines) io.stderr(`postconf: ${line}\n`);
    io.stderr(`postconf: fatal: ${parsed.fatal}\n`);
    return 1;
  }
  const warn = (text: string): void => io.stderr(`postconf: warning: ${printableAscii(text)}\n`);
  const job = { options: parsed, directory: findConfigDirectory(parsed.directory, io.env), io, warn };
  try {
    const { mode } = parsed;
    if (!isShownMode(mode)) return await showBuiltIn(job, mode);
    if (parsed.change === undefined) show(job, mode);
    else change(job, mode, parsed.change);
    return 0;
  } catch (error) {
    const lines = fatalLines(error);
    if (lines === undefined) throw error;
    for (const line of lines) io.stderr(`${printableAscii(line)}\n`);
    return 1;
  }
}
