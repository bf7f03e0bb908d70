/** Shows master.cf: entries (-M), their fields (-F), their `-o` settings (-P). postconf(1) */
import {
  argumentGroups,
  commandText,
  expandValue,
  formatFields,
  type MasterEntryText,
  type MasterText,
  parametersOf,
  type PlacedEntry,
  type SettingValues,
  splitWords,
} from '#config';
import { foldGroups, squeeze } from './fold.ts';
import type { KnownNames } from './known-names.ts';
import { MacroError } from './main-parameters.ts';
import type { PostconfOptions } from './options.ts';
import { formatPair } from './print.ts';

export const fieldNames = [
  'service',
  'type',
  'private',
  'unprivileged',
  'chroot',
  'wakeup',
  'process_limit',
  'command',
] as const;
type FieldName = (typeof fieldNames)[number];

export function isFieldName(text: string): text is FieldName {
  return fieldNames.some((name) => name === text);
}

/** `service/type/third`; parts left out are `*`. */
export interface Request {
  readonly text: string;
  readonly service: string;
  readonly type: string;
  readonly third: string;
}

export function parseRequest(text: string): Request {
  const [service = '*', type = '*', ...rest] = text.split('/');
  return { text, service, type, third: rest.length === 0 ? '*' : rest.join('/') };
}

const fits = (pattern: string, value: string): boolean => pattern === '*' || pattern === value;

export function isAsked({ service, type }: Request, { entry }: PlacedEntry): boolean {
  return fits(service, entry.fields.service) && fits(type, entry.fields.type);
}

/** An entry as one line, or folded with its settings on lines of their own. */
export function formatEntry(entry: MasterEntryText, folds: boolean): string {
  const groups = argumentGroups(entry);
  const line = [formatFields(entry), ...groups].join(' ');
  if (!folds) return line;
  const words = groups.flatMap((group) => (group.startsWith('-o ') ? [group] : splitWords(group)));
  return foldGroups([formatFields(entry), ...words], (group) => group.startsWith('-o '));
}

function fieldValue(entry: MasterEntryText, field: FieldName): string {
  return field === 'command' ? commandText(entry) : entry.fields[field];
}

export interface MasterView {
  readonly options: PostconfOptions;
  readonly master: MasterText;
  readonly settings: SettingValues;
  readonly registered: readonly string[];
  readonly names: KnownNames;
  readonly warn: (text: string) => void;
}

function entryLines({ options }: MasterView, { entry }: PlacedEntry): string {
  return `${formatEntry(entry, options.folds)}\n`;
}

function fieldLines({ options }: MasterView, { entry }: PlacedEntry, field: string): string {
  const { service, type } = entry.fields;
  return fieldNames
    .filter((name) => fits(field, name))
    .map((name) => formatPair(`${service}/${type}/${name}`, fieldValue(entry, name), options))
    .join('');
}

function parameterLines(view: MasterView, { entry }: PlacedEntry, wanted: string): string {
  const { options, settings, registered, names, warn } = view;
  const own = new Map(parametersOf(entry).map(({ name, value }) => [name, value]));
  const all = options.withDefaults ? registered.filter((name) => names.classOf(name) !== undefined) : [];
  const shown = [...new Set([...own.keys(), ...all])].toSorted().filter((name) => fits(wanted, name));
  const { service, type } = entry.fields;
  const lookup = (name: string): string | undefined => own.get(name) ?? settings.raw(name);
  return shown
    .map((name) => {
      const raw = lookup(name) ?? '';
      const value = options.expands ? expandValue(raw, lookup) : undefined;
      if (value?.kind === 'failed') {
        warn(value.reason);
        throw new MacroError('macro processing error');
      }
      return formatPair(`${service}/${type}/${name}`, squeeze(value?.text ?? raw), options);
    })
    .join('');
}

/** The lines asked for, in the file's order; requests that find nothing are warned of. Throws MacroError. */
export function showMaster(view: MasterView): string | { readonly fatal: string } {
  const { options, master, warn } = view;
  const requests = options.operands.length === 0 ? [parseRequest('*/*')] : options.operands.map(parseRequest);
  const bad =
    options.mode === 'fields' ? requests.find(({ third }) => third !== '*' && !isFieldName(third)) : undefined;
  if (bad !== undefined) return { fatal: `invalid service attribute name: "${bad.third}"` };
  const matched = new Set<Request>();
  let out = '';
  for (const placed of master.entries) {
    const seen = new Set<string>();
    for (const request of requests.filter((each) => isAsked(each, placed))) {
      const text =
        options.mode === 'entries'
          ? entryLines(view, placed)
          : options.mode === 'fields'
            ? fieldLines(view, placed, request.third)
            : parameterLines(view, placed, request.third);
      if (text !== '') matched.add(request);
      if (!seen.has(text)) out += text;
      seen.add(text);
    }
  }
  if (options.operands.length > 0)
    for (const request of requests) if (!matched.has(request)) warn(`unmatched request: "${request.text}"`);
  return out;
}
