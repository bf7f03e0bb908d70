/** smtp_header_checks and its kin: tables that change or drop lines on their way out. header_checks(5) */
import type { EventChannel } from '#events';
import type { MaybePromise } from '#message';
import type { TableList, TableOpener } from '#tables';
import type { Edited, HeaderClass } from './output-converter.ts';
import type { SmtpSettings } from './settings.ts';

export interface OutputChecksOptions {
  readonly tables: TableOpener;
  readonly settings: SmtpSettings;
  readonly events: EventChannel;
  readonly warn: (text: string) => void;
}

export interface OutputChecks {
  readonly events: EventChannel;
  readonly warn: (text: string) => void;
  readonly checks: Readonly<Record<HeaderClass | 'body', { readonly parameter: string; readonly list: TableList }>>;
  readonly hasHeaderChecks: boolean;
}

export function openOutputChecks({ tables, settings, events, warn }: OutputChecksOptions): OutputChecks {
  const check = (name: string, elements: SmtpSettings['tables']['headerChecks']) => {
    const parameter = settings.parameter(name);
    return { parameter, list: tables.list(elements, { anyBytes: true }, parameter) };
  };
  const checks = {
    primary: check('header_checks', settings.tables.headerChecks),
    part: check('mime_header_checks', settings.tables.mimeHeaderChecks),
    nested: check('nested_header_checks', settings.tables.nestedHeaderChecks),
    body: check('body_checks', settings.tables.bodyChecks),
  };
  const hasHeaderChecks = ![checks.primary, checks.part, checks.nested].every(({ list }) => list.isEmpty);
  return { events, warn, checks, hasHeaderChecks };
}

/** MIME headers belong to mime_header_checks, wherever they stand (header_checks(5)); but those made here go by their place. */
export function checkClass(name: string, headerClass: HeaderClass, isMade: boolean): HeaderClass {
  return !isMade && mimeHeaders.has(name.toLowerCase()) ? 'part' : headerClass;
}

const mimeHeaders: ReadonlySet<string> = new Set([
  'content-description',
  'content-disposition',
  'content-id',
  'content-transfer-encoding',
  'content-type',
  'mime-version',
]);

/** One line or header through its check. The last of the lines given back is the line itself, unless it was taken out. */
export function runCheck(
  rules: OutputChecks,
  queueId: string,
  kind: HeaderClass | 'body',
  content: string,
): MaybePromise<Edited> {
  const { list } = rules.checks[kind];
  if (list.isEmpty) return [content];
  const found = list.lookup(content);
  const act = (result: Awaited<typeof found>): Edited => {
    if (result.kind === 'missing') return [content];
    if (result.kind === 'failed')
      throw new CheckFailure(`smtp ${kind === 'body' ? 'body' : 'header'} checks lookup error`);
    return applyAction(rules, queueId, kind, content, result.value);
  };
  return found instanceof Promise ? found.then(act) : act(found);
}

/** A check table that can't be read: the message waits. Caught where the content is written. */
export class CheckFailure extends Error {}

/** The actions that make sense on delivery (header_checks(5)); others are warned of and count as none. */
function applyAction(
  rules: OutputChecks,
  queueId: string,
  kind: HeaderClass | 'body',
  content: string,
  value: string,
): Edited {
  const [, word = '', text = ''] = /^(\S*)\s*(.*)$/s.exec(value) ?? [];
  const { parameter } = rules.checks[kind];
  const part = kind === 'body' ? 'body' : 'header';
  const tell = (action: string): void => {
    rules.events.emit({ kind: 'outputCheck', queueId, action, part, content, text });
  };
  const isUsable = (): boolean => {
    if (text === '') rules.warn(`${word.toUpperCase()} action without text in ${parameter} map`);
    else if (part === 'header' && !/^[!-9;-~]+[ \t]*:/.test(text)) {
      rules.warn(
        `bad ${word.toUpperCase()} header text "${text}" in ${parameter} map -- need "headername: headervalue"`,
      );
    } else return true;
    return false;
  };
  switch (word.toUpperCase()) {
    case 'DUNNO':
    case 'OK':
      return [content];
    case 'IGNORE':
      return [];
    case 'STRIP':
      tell('strip');
      return [];
    case 'WARN':
      tell('warning');
      return [content];
    case 'INFO':
      tell('info');
      return [content];
    case 'REPLACE':
      if (!isUsable()) return [content];
      tell('replace');
      return [text];
    case 'PREPEND':
      if (!isUsable()) return [content];
      tell('prepend');
      return [text, content];
    default:
      rules.warn(`unsupported command in ${parameter} map: ${value}`);
      return [content];
  }
}
