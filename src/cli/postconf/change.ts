/** Edits of main.cf and master.cf. postconf(1) -e, -X, -#, and these with -M, -F, -P */
import {
  editMainText,
  editMasterText,
  entryOf,
  fieldProblem,
  lacksFields,
  type MainChange,
  type MasterEntryText,
  type MasterText,
  type PlacedEntry,
  readMasterText,
  splitAssignment,
  trimSpace,
  withField,
  withParameter,
} from '#config';
import { EditError, editFile } from '../edit-file.ts';
import { formatEntry, isAsked, isFieldName, type MasterMode, parseRequest, type Request } from './master-entries.ts';
import type { ChangeKind } from './options.ts';

function assignment(text: string): { readonly name: string; readonly value: string } {
  const cut = splitAssignment(text);
  if (typeof cut === 'string') throw new EditError(cut);
  return cut;
}

function toMainChange(change: ChangeKind, text: string): MainChange {
  if (text.includes('\n')) throw new EditError('-e, -X, or -# accepts no multi-line input');
  if (/^[ \t-\r]*#/.test(text)) throw new EditError('-e, -X, or -# accepts no comment input');
  if (change === 'edit') return { kind: 'set', ...assignment(text) };
  if (trimSpace(text) === '') throw new EditError('-X or -# requires non-blank parameter names');
  if (text.includes('=')) throw new EditError('-X or -# requires parameter names without value');
  // with blanks around it no name is found
  return { kind: change, name: text };
}

/** Of requests for the same name the last one counts. */
function withoutRepeated(changes: readonly MainChange[], warn: (text: string) => void): readonly MainChange[] {
  const byName = new Map<string, MainChange>();
  for (const change of changes) {
    const earlier = byName.get(change.name);
    if (earlier?.kind === 'set') warn(`ignoring earlier request: '${earlier.name} = ${earlier.value}'`);
    byName.delete(change.name);
    byName.set(change.name, change);
  }
  return [...byName.values()];
}

/** Changes main.cf. Throws EditError before anything is written. */
export function changeMain(
  path: string,
  change: ChangeKind,
  operands: readonly string[],
  warn: (text: string) => void,
): void {
  const changes = withoutRepeated(
    operands.map((text) => toMainChange(change, text)),
    warn,
  );
  editFile(path, (text) => editMainText(text, changes, (name) => warn(`${path}: multiple entries for "${name}"`)));
}

/** `service/type…=value`; a request without `=` for -X and -#. */
interface MasterChange extends Request {
  readonly value: string;
}

const requestForms = {
  entries: '-Me, -MX or -M# requires service_name/type',
  fields: '-Fe or -FX requires service_name/type/field_name',
  entryParameters: '-Pe or -PX requires service_name/type/parameter',
} as const;

function parseChange(mode: MasterMode, change: ChangeKind, text: string): MasterChange {
  if (text.includes('\n')) throw new EditError('-Me, -Fe, -Pe, -X, or -# accept no multi-line input');
  if (/^[ \t-\r]*#/.test(text)) throw new EditError('-Me, -Fe, -Pe, -X, or -# accept no comment input');
  const { name, value } = change === 'edit' ? assignment(text) : { name: trimSpace(text), value: '' };
  if (change !== 'edit' && name.includes('=')) throw new EditError('-X or -# requires names without value');
  const count = mode === 'entries' ? 2 : 3;
  const request = parseRequest(name, count, count);
  if (request === undefined) throw new EditError(requestForms[mode]);
  checkThird(mode, change, request.third, value);
  return { ...request, text, value };
}

function checkThird(mode: MasterMode, change: ChangeKind, third: string, value: string): void {
  const hasSpace = change === 'edit' && /[ \t-\r]/.test(value);
  if (mode === 'fields') {
    if (third === '*') throw new EditError('-Fe does not accept wild-card field name');
    if (!isFieldName(third)) throw new EditError(`invalid service attribute name: "${third}"`);
    if (third !== 'command' && hasSpace) throw new EditError('-Fe does not accept whitespace in non-command field');
  } else if (mode === 'entryParameters') {
    if (third === '*') throw new EditError('-Pe does not accept wild-card parameter name');
    if (hasSpace) throw new EditError('-Pe does not accept whitespace in parameter value');
  }
}

/** The entry as the change makes it. */
function changedEntry(
  mode: MasterMode,
  change: ChangeKind,
  wanted: MasterChange,
  entry: MasterEntryText,
): MasterEntryText {
  const { third, value } = wanted;
  if (mode === 'entries') return newEntry(wanted);
  if (mode === 'fields') return changedField(wanted, entry);
  return withParameter(entry, third, change === 'drop' ? undefined : value);
}

function changedField({ third, value }: MasterChange, entry: MasterEntryText): MasterEntryText {
  if (!isFieldName(third)) return entry;
  const problem = value === '' ? `invalid ${third} field ""` : fieldProblem(third, value);
  if (problem !== undefined) throw new EditError(`${problem} in "${value}"`);
  return withField(entry, third, value);
}

function newEntry({ text, value }: MasterChange): MasterEntryText {
  const entry = entryOf(value);
  if (!('problem' in entry)) return entry;
  throw new EditError(lacksFields(entry) ? `${entry.problem}: "${text}"` : entry.problem);
}

/** The text after all changes; `warn` hears of those that found no entry. */
function changedText(
  master: MasterText,
  mode: MasterMode,
  change: ChangeKind,
  changes: readonly MasterChange[],
  warn: (text: string) => void,
): string {
  const found = new Map<MasterChange, number>(changes.map((wanted) => [wanted, 0]));
  const lines = new Map<PlacedEntry, readonly string[]>();
  for (const placed of master.entries) {
    let entry: MasterEntryText | undefined = placed.entry;
    for (const wanted of changes.filter((each) => isAsked(each, placed))) {
      if (placed.problem !== undefined && mode !== 'entries') throw new EditError(placed.problem);
      const isFirst = found.get(wanted) === 0;
      found.set(wanted, (found.get(wanted) ?? 0) + 1);
      // one entry stands for all that had the name and type
      const isGone = mode === 'entries' && (change !== 'edit' || !isFirst);
      entry = isGone || entry === undefined ? undefined : changedEntry(mode, change, wanted, entry);
      lines.set(placed, entry === undefined ? [] : [formatEntry(entry, true)]);
    }
  }
  const missing = changes.filter((wanted) => found.get(wanted) === 0);
  if (mode !== 'entries') for (const { text } of missing) warn(`unmatched service_name/type: "${text}"`);
  const isNew = mode === 'entries' && change === 'edit';
  const appended = isNew ? missing.map((wanted) => formatEntry(newEntry(wanted), true)) : [];
  if (change === 'comment') return editMasterText(master, { kind: 'comment', entries: new Set(lines.keys()) });
  return editMasterText(master, { kind: mode === 'entries' ? 'replace' : 'rewrite', entries: lines }, appended);
}

/** Changes master.cf. Throws EditError before anything is written. */
export function changeMaster(
  path: string,
  mode: MasterMode,
  change: ChangeKind,
  operands: readonly string[],
  warn: (text: string) => void,
): void {
  const changes = operands.map((text) => parseChange(mode, change, text));
  if (mode === 'entries' && change === 'edit') changes.forEach(newEntry);
  editFile(path, (text) => {
    const master = readMasterText(path, text, warn, true);
    if (typeof master === 'string') throw new EditError(master);
    return changedText(master, mode, change, changes, warn);
  });
}
