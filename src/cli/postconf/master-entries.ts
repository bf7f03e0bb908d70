/** Shows master.cf: entries (-M), their fields (-F), their `-o` settings (-P). postconf(1) */
import {
  argumentGroups,
  commandText,
  expandValue,
  formatFields,
  type MasterEntryText,
  type MasterField,
  masterFields,
  type MasterText,
  type ParameterRegistry,
  parametersOf,
  type PlacedEntry,
  type SettingValues,
  withArguments,
} from '#config';
import { foldGroups, squeeze } from './fold.ts';
import type { KnownNames } from './known-names.ts';
import { MacroError } from './main-parameters.ts';
import type { PostconfOptions } from './options.ts';
import { formatPair } from './print.ts';

export function isFieldName(text: string): text is MasterField {
  return masterFields.some((name) => name === text);
}

/** `service/type/third`; parts left out are `*`. */
export interface Request {
  readonly text: string;
  readonly service: string;
  readonly type: string;
  readonly third: string;
}

/** Undefined when it has fewer or more parts than asked for, or a `*` within a name. As in Postfix empty parts don't count. */
export function parseRequest(text: string, least: number, most: number): Request | undefined {
  const parts = text.split('/').filter((part) => part !== '');
  const isPartOfName = parts.some((part) => part !== '*' && part.includes('*'));
  if (text.startsWith('/') || parts.length < least || parts.length > most || isPartOfName) return undefined;
  const [service = '*', type = '*', third = '*'] = parts;
  return { text, service, type, third };
}

/** What a request of each mode looks like. */
const requestForms = {
  entries: { letter: 'M', most: 2, form: 'service_name[/type]' },
  fields: { letter: 'F', most: 3, form: 'service_name[/type[/field]]' },
  entryParameters: { letter: 'P', most: 3, form: 'service_name[/type[/parameter]]' },
} as const;
export type MasterMode = keyof typeof requestForms;

const fits = (pattern: string, value: string): boolean => pattern === '*' || pattern === value;

export function isAsked({ service, type }: Request, { entry }: PlacedEntry): boolean {
  return fits(service, entry.fields.service) && fits(type, entry.fields.type);
}

/** Arguments behind a title: on one line, or folded with each setting on a line of its own. */
function formatCommand(title: string, entry: MasterEntryText, folds: boolean): string {
  const groups = argumentGroups(entry);
  const isSetting = (group: string): boolean => group.startsWith('-o ');
  return folds ? foldGroups([title, ...groups], isSetting) : [title, ...groups].join(' ');
}

/** An entry as one line, or folded. */
export function formatEntry(entry: MasterEntryText, folds: boolean): string {
  return formatCommand(formatFields(entry), entry, folds);
}

export interface MasterView {
  readonly options: PostconfOptions;
  readonly mode: MasterMode;
  readonly master: MasterText;
  readonly settings: SettingValues;
  readonly registry: ParameterRegistry;
  readonly names: KnownNames;
  readonly warn: (text: string) => void;
}

/** What the service assigns, as far as that counts. */
function assignments({ registry }: MasterView, entry: MasterEntryText): ReadonlyMap<string, string> {
  const assigned = parametersOf(entry).filter(({ name }) => !registry.isReadOnly(name));
  return new Map(assigned.map(({ name, value }) => [name, value]));
}

/** Expands `$` forms as the service would: its own settings come before those of main.cf. Throws MacroError. */
function expandFor(view: MasterView, entry: MasterEntryText): (text: string) => string {
  const { settings, warn } = view;
  const { service, command } = entry.fields;
  const own = new Map([['service_name', service], ['process_name', command], ...assignments(view, entry)]);
  return (text) => {
    const expansion = expandValue(text, (name) => own.get(name) ?? settings.raw(name));
    if (expansion.kind === 'ok') return expansion.text;
    warn(expansion.reason);
    throw new MacroError('macro processing error');
  };
}

/** The entry as it is to be shown. */
function shownEntry(view: MasterView, { entry }: PlacedEntry): MasterEntryText {
  return view.options.expands ? withArguments(entry, expandFor(view, entry)) : entry;
}

function entryLines(view: MasterView, placed: PlacedEntry): string {
  const entry = shownEntry(view, placed);
  const { service, type } = placed.entry.fields;
  return view.options.asJson
    ? formatPair(`${service}/${type}`, formatEntry(entry, false), view.options)
    : `${formatEntry(entry, view.options.folds)}\n`;
}

function commandLines(shown: MasterEntryText, name: string, { folds, hidesNames }: PostconfOptions): string {
  const { command } = shown.fields;
  const title = hidesNames ? command : `${name} = ${command}`;
  return `${formatCommand(title, shown, folds)}\n`;
}

function fieldLines(view: MasterView, placed: PlacedEntry, field: string): string {
  const { options } = view;
  const entry = shownEntry(view, placed);
  const { service, type } = placed.entry.fields;
  return masterFields
    .filter((name) => fits(field, name))
    .map((name) => {
      const title = `${service}/${type}/${name}`;
      if (name !== 'command') return formatPair(title, entry.fields[name], options);
      return options.asJson || options.hidesValues
        ? formatPair(title, commandText(entry), options)
        : commandLines(entry, title, options);
    })
    .join('');
}

function parameterLines(view: MasterView, { entry }: PlacedEntry, wanted: string): string {
  const { options, settings, registry, names } = view;
  const own = assignments(view, entry);
  const all = options.withDefaults ? registry.names().filter((name) => names.classOf(name) !== undefined) : [];
  const shown = [...new Set([...own.keys(), ...all])].toSorted().filter((name) => fits(wanted, name));
  const { service, type } = entry.fields;
  const expand = expandFor(view, entry);
  return shown
    .map((name) => {
      const raw = own.get(name) ?? settings.raw(name) ?? '';
      return formatPair(`${service}/${type}/${name}`, squeeze(options.expands ? expand(raw) : raw), options);
    })
    .join('');
}

/** The requests of a command line; without any, all. A text says what is wrong. */
function readRequests({ options, mode }: MasterView): readonly Request[] | string {
  const { letter, most, form } = requestForms[mode];
  const texts = options.operands.length === 0 ? ['*'] : options.operands;
  const requests: Request[] = [];
  for (const text of texts) {
    const request = parseRequest(text, 1, most);
    if (request === undefined) return `-${letter} option requires ${form}`;
    if (mode === 'fields' && request.third !== '*' && !isFieldName(request.third)) {
      return `invalid service attribute name: "${request.third}"`;
    }
    requests.push(request);
  }
  return requests;
}

/** The lines asked for, in the file's order; requests that find nothing are warned of. Throws MacroError. */
export function showMaster(view: MasterView): string | { readonly fatal: string } {
  const { mode, master, warn } = view;
  const requests = readRequests(view);
  if (typeof requests === 'string') return { fatal: requests };
  const matched = new Set<Request>();
  let out = '';
  for (const placed of master.entries) {
    for (const request of requests.filter((each) => isAsked(each, placed))) {
      const text =
        mode === 'entries'
          ? entryLines(view, placed)
          : mode === 'fields'
            ? fieldLines(view, placed, request.third)
            : parameterLines(view, placed, request.third);
      if (text !== '') matched.add(request);
      out += text;
    }
  }
  if (view.options.operands.length > 0)
    for (const request of requests) if (!matched.has(request)) warn(`unmatched request: "${request.text}"`);
  return out;
}
