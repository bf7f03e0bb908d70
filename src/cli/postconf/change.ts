/** Edits of main.cf and master.cf. postconf(1) -e, -X, -#, and these with -M, -F, -P */
import { chownSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import {
  editMainText,
  editMasterText,
  entryOf,
  fieldProblem,
  type MainChange,
  type MasterEntryText,
  type MasterText,
  type PlacedEntry,
  readMasterText,
  splitAssignment,
  withField,
  withParameter,
} from '#config';
import { formatEntry, isAsked, isFieldName, parseRequest, type Request } from './master-entries.ts';
import type { PostconfOptions } from './options.ts';

/** What keeps an edit from being made. */
export class EditError extends Error {}

/** Replaces a file as a whole: readers see the old or the new text, with the same owner and mode. */
function replaceFile(path: string, text: string): void {
  const { mode, uid, gid } = statSync(path);
  const temporary = `${path}.tmp`;
  const fd = openSync(temporary, 'w', mode & 0o7777);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  if (process.getuid?.() === 0) chownSync(temporary, uid, gid);
  renameSync(temporary, path);
}

function assignment(text: string): { readonly name: string; readonly value: string } {
  const cut = splitAssignment(text);
  if (typeof cut === 'string') throw new EditError(cut);
  if (cut.value.includes('\n')) throw new EditError(`-e accepts no multi-line input: "${cut.name}"`);
  return cut;
}

function toMainChange(change: NonNullable<PostconfOptions['change']>, text: string): MainChange {
  if (text.startsWith('#')) throw new EditError('-e, -X, or -# accepts no comment input');
  if (change === 'edit') return { kind: 'set', ...assignment(text) };
  const name = text.trim();
  if (name.includes('=')) throw new EditError(`-X or -# requires parameter names without value: "${text}"`);
  return { kind: change, name };
}

/** Changes main.cf. Throws EditError before anything is written. */
export function changeMain(path: string, { change = 'edit', operands }: PostconfOptions): void {
  const changes = operands.map((text) => toMainChange(change, text));
  replaceFile(path, editMainText(readFileSync(path, 'utf8'), changes));
}

/** `service/type…=value`; a request without `=` for -X and -#. */
interface MasterChange extends Request {
  readonly value: string;
}

const letters = { entries: 'M', fields: 'F', entryParameters: 'P' } as const;
const needs = {
  entries: 'service_name/type',
  fields: 'service_name/type/field_name',
  entryParameters: 'service_name/type/parameter_name',
} as const;
type MasterMode = keyof typeof letters;

function parseChange(mode: MasterMode, change: NonNullable<PostconfOptions['change']>, text: string): MasterChange {
  const letter = letters[mode];
  const at = text.indexOf('=');
  const target = (at < 0 ? text : text.slice(0, at)).trim();
  const wanted = mode === 'entries' ? 2 : 3;
  if (target.split('/').length !== wanted) {
    throw new EditError(`-${letter}e, -${letter}X or -${letter}# requires ${needs[mode]}`);
  }
  if (change === 'edit' && at < 0) throw new EditError(`-${letter}e requires a value: "${text}"`);
  if (change !== 'edit' && at >= 0) throw new EditError(`-${letter}X or -${letter}# accepts no value: "${text}"`);
  return { ...parseRequest(target), value: at < 0 ? '' : text.slice(at + 1).trim() };
}

/** The entry as the change makes it; undefined for one that goes. */
function changedEntry(
  mode: MasterMode,
  change: 'edit' | 'drop',
  wanted: MasterChange,
  entry: MasterEntryText,
): MasterEntryText | undefined {
  if (mode === 'entries') return change === 'drop' ? undefined : newEntry(wanted);
  if (mode === 'fields') {
    const { third, value } = wanted;
    if (!isFieldName(third)) throw new EditError(`invalid service attribute name: "${third}"`);
    const problem = fieldProblem(third, value);
    if (problem !== undefined) throw new EditError(`${problem} in "${value}"`);
    return withField(entry, third, value);
  }
  if (change === 'edit' && /\s/.test(wanted.value)) {
    throw new EditError('-Pe does not accept whitespace in parameter value');
  }
  return withParameter(entry, wanted.third, change === 'drop' ? undefined : wanted.value);
}

function newEntry({ value }: MasterChange): MasterEntryText {
  const entry = entryOf(value);
  if (typeof entry === 'string') throw new EditError(entry);
  return entry;
}

/** Applies one change after the other; the text that results. */
function edited(
  master: MasterText,
  mode: MasterMode,
  change: 'edit' | 'drop',
  changes: readonly MasterChange[],
): string {
  const entries = new Map<PlacedEntry, readonly string[]>();
  const current = new Map<PlacedEntry, MasterEntryText>();
  const appended: string[] = [];
  for (const wanted of changes) {
    const targets = master.entries.filter((placed) => isAsked(wanted, placed));
    for (const placed of targets) {
      const next = changedEntry(mode, change, wanted, current.get(placed) ?? placed.entry);
      if (next !== undefined) current.set(placed, next);
      entries.set(placed, next === undefined ? [] : [formatEntry(next, true)]);
    }
    if (targets.length === 0 && mode === 'entries' && change === 'edit') {
      appended.push(formatEntry(newEntry(wanted), true));
    }
  }
  return editMasterText(master, { kind: 'replace', entries }, appended);
}

/** Changes master.cf. Throws EditError before anything is written. */
export function changeMaster(path: string, mode: MasterMode, { change = 'edit', operands }: PostconfOptions): void {
  const changes = operands.map((text) => parseChange(mode, change, text));
  const master = readMasterText(path, readFileSync(path, 'utf8'));
  if (typeof master === 'string') throw new EditError(master);
  if (change === 'comment') {
    if (mode !== 'entries') throw new EditError(`-${letters[mode]}# is not supported`);
    const entries = new Set(master.entries.filter((placed) => changes.some((wanted) => isAsked(wanted, placed))));
    replaceFile(path, editMasterText(master, { kind: 'comment', entries }));
  } else replaceFile(path, edited(master, mode, change, changes));
}
