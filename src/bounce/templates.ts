/** Notice templates: what they hold, their checks, and the expansion of `$name`. bounce(5) */
import { domainToUnicode } from 'node:url';
import { isAsciiText } from '#address';
import { expandValue, type Settings } from '#config';
import { defaultTemplates, mailerDaemon } from './default-templates.ts';
import { noTemplateFile, readTemplateFile, type TemplateFile } from './template-file.ts';

export type TemplateName = 'failure' | 'delay' | 'success' | 'verify';

export interface Template {
  readonly charset: string;
  readonly from: string;
  readonly subject: string;
  /** Subject of the postmaster's copy. */
  readonly postmasterSubject: string;
  /** Expanded lines. */
  readonly lines: readonly string[];
  /** What is said whenever it is used. */
  readonly warnings: readonly string[];
  /** Why it can't be used. */
  readonly problem: string | undefined;
}

export interface Templates {
  /** Why the file can't be opened, tried anew while it can't: until then there are no notices at all. */
  problem(): string | undefined;
  /** For one that is bad, or whose file can't be opened, the built-in one. */
  of(name: TemplateName): Template;
}

const names: readonly TemplateName[] = ['failure', 'delay', 'success', 'verify'];
const units: Readonly<Record<string, number>> = {
  seconds: 1,
  minutes: 60,
  hours: 3600,
  days: 86_400,
  weeks: 604_800,
};
const timeName = /^(bounce_queue_lifetime|delay_warning_time|maximal_queue_lifetime)_(\w+)$/;
/** More of a shorter unit than this is hard to read. */
const mostReadable = 999;

/** The header of a template, and its text as written. */
type Source = Omit<Template, 'lines' | 'warnings' | 'problem'> & { readonly body: readonly string[] };

/** The templates of the configuration, each read at its first use; for one that is bad (told by `warn`) the built-in one. */
export function readTemplates(settings: Settings, warn: (text: string) => void): Templates {
  const made = new Map<TemplateName, Template>();
  let file: TemplateFile | string = '';
  const opened = (): TemplateFile | string => {
    if (typeof file !== 'string') return file;
    file = fileOf(settings.string('bounce_template_file'));
    if (typeof file !== 'string') file.warnings.forEach(warn);
    return file;
  };
  return {
    problem: () => {
      const found = opened();
      return typeof found === 'string' ? found : undefined;
    },
    of: (name) => {
      const known = made.get(name);
      if (known !== undefined) return known;
      const found = opened();
      if (typeof found === 'string') return makeTemplate(noTemplateFile, name, settings, warn);
      const template = makeTemplate(found, name, settings, warn);
      made.set(name, template);
      return template;
    },
  };
}

/**
 * The templates as `postconf -b` and `-t` show them: as written, and the body expanded. `path`: a file instead of
 * bounce_template_file, '' for the built-in texts. Or why it can't be opened.
 */
export function noticeTemplates(
  settings: Settings,
  path: string,
  warn: (text: string) => void,
): readonly ShownTemplate[] | string {
  const file = fileOf(path);
  if (typeof file === 'string') return file;
  file.warnings.forEach(warn);
  return names.map((name) => {
    const complaints: string[] = [];
    const source = sourceOf(file, name, settings, (text) => complaints.push(text));
    const { charset, from, subject, postmasterSubject, body } = source;
    const copySubject = postmasterSubject === '' ? [] : [`Postmaster-Subject: ${postmasterSubject}`];
    const header = [`Charset: ${charset}`, `From: ${from}`, `Subject: ${subject}`, ...copySubject, ''];
    const { lines, warnings, problem } = makeTemplate(file, name, settings, () => undefined);
    return { name, text: asText([...header, ...body]), expanded: asText(lines), complaints, warnings, problem };
  });
}

export interface ShownTemplate {
  readonly name: TemplateName;
  readonly text: string;
  readonly expanded: string;
  /** Why the built-in text stands for that of the file. */
  readonly complaints: readonly string[];
  /** What is odd about its expansion. */
  readonly warnings: readonly string[];
  /** Why it can't be expanded. */
  readonly problem: string | undefined;
}

const asText = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

function fileOf(path: string): TemplateFile | string {
  const known = names.map((name) => `${name}_template`);
  return path === '' ? noTemplateFile : readTemplateFile(path, known);
}

/** As the file has it, or built in. */
function sourceOf(file: TemplateFile, name: TemplateName, settings: Settings, warn: (text: string) => void): Source {
  const from =
    settings.string('header_from_format').toLowerCase() === 'obsolete' ? mailerDaemon.obsolete : mailerDaemon.standard;
  const builtIn = { charset: 'us-ascii', from, postmasterSubject: '', ...defaultTemplates[name] };
  const text = file.texts.get(`${name}_template`);
  if (text === undefined) return builtIn;
  const own = parseTemplate(text, builtIn);
  if (!('problems' in own)) return own;
  const [first = '', ...rest] = own.problems;
  warn(`${file.path}: ${first.replace('TEMPLATE', `${name} template`)}`);
  rest.forEach(warn);
  return builtIn;
}

function makeTemplate(
  file: TemplateFile,
  name: TemplateName,
  settings: Settings,
  warn: (text: string) => void,
): Template {
  const { body, postmasterSubject, ...source } = sourceOf(file, name, settings, warn);
  const origin = file.texts.has(`${name}_template`) ? file.path : '[built-in]';
  const warnings: string[] = [];
  const problems: string[] = [];
  // what stands behind the first problem is not looked at any more
  const complain = (texts: readonly string[]): void => void (problems.length === 0 && warnings.push(...texts));
  const valueOf = (word: string): string | undefined => {
    const time = timeValue(word, settings);
    // that one may be in a file
    const known = word === 'myorigin' ? settings.string(word) : settings.userValue(word);
    if (time === undefined) return hostValue(word, settings) ?? known;
    complain(timeWarnings(time, word, name, origin));
    return String(time.value);
  };
  const lines = body.map((line) => {
    const expansion = expandValue(line, (word) => valueOf(word)?.replaceAll('$', '$$$$'));
    const isBad = expansion.kind === 'failed';
    const fault = isBad ? 'bad $name syntax' : expansion.undefinedNames.length > 0 ? 'undefined $name' : undefined;
    if (isBad) complain([expansion.reason]);
    if (fault !== undefined) problems.push(`${origin}: ${fault} in ${name} template: ${line}`);
    return isBad ? line : expansion.text;
  });
  const [problem] = problems;
  return { ...source, postmasterSubject: postmasterSubject || source.subject, lines, warnings, problem };
}

interface TimeValue {
  readonly value: number;
  readonly unit: string;
  readonly seconds: number;
}

/** `maximal_queue_lifetime_days` and the like. */
function timeValue(name: string, settings: Settings): TimeValue | undefined {
  const [, parameter, unit = ''] = timeName.exec(name) ?? [];
  const divisor = units[unit];
  if (parameter === undefined || divisor === undefined) return undefined;
  const seconds = Math.floor(settings.ms(parameter) / 1000);
  return { value: Math.floor(seconds / divisor), unit, seconds };
}

/** A time in a unit that doesn't suit it. */
function timeWarnings(
  { value, unit, seconds }: TimeValue,
  word: string,
  template: TemplateName,
  origin: string,
): readonly string[] {
  const isExcessive = value > mostReadable && !['days', 'weeks'].includes(unit);
  const isZero = value === 0 && seconds > 0;
  if (!isExcessive && !isZero) return [];
  const result = isZero ? 'zero result' : `excessive result "${value}"`;
  return [
    `${origin}: ${result} in ${template} template conversion of parameter "${word}"`,
    `please ${isZero ? 'reduce' : 'increase'} time unit "${unit}" of "${word}" in ${template} template`,
    'for instructions see the bounce(5) manual',
  ];
}

/** Readers want to see the names of hosts as they are written. */
function hostValue(name: string, settings: Settings): string | undefined {
  if ((name !== 'myhostname' && name !== 'mydomain') || !settings.bool('smtputf8_enable')) return undefined;
  return domainToUnicode(settings.string(name)) || undefined;
}

function parseTemplate(text: string, builtIn: Source): Source | { readonly problems: readonly string[] } {
  const ignored = '-- ignoring this template';
  const found = { ...builtIn };
  const lines = text.split('\n');
  let at = 0;
  for (; at < lines.length; at += 1) {
    const [, label, value = ''] = /^([!-9;-~]+)[ \t]*:[\s:]*([^]*)$/.exec(lines[at] ?? '') ?? [];
    if (label === undefined) break;
    const known = label.toLowerCase();
    const isInapplicable = known === 'postmaster-subject' && builtIn.postmasterSubject === '';
    if (value === '') return { problems: [`empty "${label}" header value in TEMPLATE ${ignored}`] };
    if (!isAsciiText(value)) return { problems: [`non-ASCII "${label}" header value in TEMPLATE ${ignored}`] };
    if (isInapplicable) return { problems: [`inapplicable "${label}" header label in TEMPLATE ${ignored}`] };
    if (known === 'charset' || known === 'from' || known === 'subject') found[known] = value;
    else if (known === 'postmaster-subject') found.postmasterSubject = value;
    else return { problems: [`unknown "${label}" header label in TEMPLATE ${ignored}`] };
  }
  while (at < lines.length && (lines[at] ?? '').trim() === '') at += 1;
  const body = lines.slice(at);
  if (body.length === 0) return { problems: [`missing message text in TEMPLATE ${ignored}`] };
  if (found.charset.toLowerCase() === 'us-ascii' && !body.every(isAsciiText)) {
    return {
      problems: [
        '8-bit message text in TEMPLATE',
        'please specify a charset value other than us-ascii',
        `${ignored} for now`,
      ],
    };
  }
  return { ...found, body };
}
