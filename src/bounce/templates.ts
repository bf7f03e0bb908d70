/** Notice templates: bounce_template_file, its checks, and the expansion of `$name`. bounce(5) */
import { readFileSync } from 'node:fs';
import type { Settings } from '#config';
import { defaultTemplates } from './default-templates.ts';

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
}

export type Templates = Readonly<Record<TemplateName, Template>>;

const NAMES: readonly TemplateName[] = ['failure', 'delay', 'success', 'verify'];
const UNITS: Readonly<Record<string, number>> = {
  seconds: 1000,
  minutes: 60_000,
  hours: 3_600_000,
  days: 86_400_000,
  weeks: 604_800_000,
};
const TIME_NAME = /^(bounce_queue_lifetime|delay_warning_time|maximal_queue_lifetime)_(\w+)$/;

/** The templates of the configuration; for one that is missing or bad (told by `warn`) the default. */
export function readTemplates(settings: Settings, warn: (text: string) => void): Templates {
  const path = settings.string('bounce_template_file');
  const texts = path === '' ? new Map<string, string>() : readTemplateFile(path, warn);
  const template = (name: TemplateName): Template => {
    const text = texts.get(`${name}_template`);
    const own = text === undefined ? undefined : parseTemplate(text, name, (problem) => warn(`${path}: ${problem}`));
    const found = own ?? parseTemplate(defaultTemplates[name], name, warn);
    if (found === undefined) throw new Error(`bad default template: ${name}`);
    const zeroes = new Set<string>();
    const lines = found.lines.map((line) =>
      settings.expand(line, (word) => {
        const value = timeValue(word, settings);
        if (value === '0' && !isZero(word, settings)) zeroes.add(word);
        return value;
      }),
    );
    const warnings = [...zeroes].flatMap((word) => zeroWarnings(word, name, own === undefined ? '[built-in]' : path));
    return { ...found, lines, warnings };
  };
  return {
    failure: template('failure'),
    delay: template('delay'),
    success: template('success'),
    verify: template('verify'),
  };
}

/**
 * The templates as `postconf -b` and `-t` show them: as written, and the body expanded. `path`: a file instead of
 * bounce_template_file, '' for the built-in texts; undefined when it can't be read.
 */
export function noticeTemplates(
  settings: Settings,
  path: string,
  warn: (text: string) => void,
): readonly { readonly name: TemplateName; readonly text: string; readonly expanded: string }[] {
  const texts = path === '' ? new Map<string, string>() : readTemplateFile(path, warn);
  return NAMES.map((name) => {
    const own = texts.get(`${name}_template`);
    const text = own === undefined ? defaultTemplates[name] : `${own}\n`;
    const lines = parseTemplate(text, name, warn)?.lines ?? [];
    const expanded = lines.map((line) => `${settings.expand(line, (word) => timeValue(word, settings))}\n`).join('');
    return { name, text, expanded };
  });
}

function isZero(name: string, settings: Settings): boolean {
  const [, parameter = ''] = TIME_NAME.exec(name) ?? [];
  return settings.ms(parameter) === 0;
}

/** A time that is less than half of the unit it is told in. */
function zeroWarnings(word: string, template: TemplateName, origin: string): readonly string[] {
  const [, , unit = ''] = TIME_NAME.exec(word) ?? [];
  return [
    `${origin}: zero result in ${template} template conversion of parameter "${word}"`,
    `please reduce time unit "${unit}" of "${word}" in ${template} template`,
    'for instructions see the bounce(5) manual',
  ];
}

/** `maximal_queue_lifetime_days` and the like. */
function timeValue(name: string, settings: Settings): string | undefined {
  const [, parameter, unitName = ''] = TIME_NAME.exec(name) ?? [];
  const unit = UNITS[unitName];
  return parameter === undefined || unit === undefined ? undefined : String(Math.round(settings.ms(parameter) / unit));
}

/** `name = <<END` … `END`; other lines are blank or comments. */
function readTemplateFile(path: string, warn: (text: string) => void): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    warn(`open ${path}: ${error instanceof Error ? error.message : String(error)}`);
    return found;
  }
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, name, end] = /^\s*(\w+)\s*=\s*<<\s*(\S+)\s*$/.exec(line) ?? [];
    if (name === undefined || end === undefined) {
      warn(`${path}, line ${at + 1}: expecting "name = <<EOF"; text is ignored`);
      continue;
    }
    const stop = lines.findIndex((other, index) => index > at && other.trimEnd() === end);
    if (stop < 0) {
      warn(`${path}, line ${at + 1}: missing "${end}" at the end of ${name}`);
      break;
    }
    if (NAMES.some((known) => `${known}_template` === name)) found.set(name, lines.slice(at + 1, stop).join('\n'));
    else warn(`${path}, line ${at + 1}: unknown template name: ${name}`);
    at = stop;
  }
  return found;
}

function parseTemplate(text: string, name: TemplateName, warn: (text: string) => void): Template | undefined {
  const lines = text.replace(/\n$/, '').split('\n');
  const blank = lines.indexOf('');
  if (blank < 0) {
    warn(`${name}_template: missing body text -- ignoring this template`);
    return undefined;
  }
  const headers = new Map<string, string>();
  for (const line of lines.slice(0, blank)) {
    const [, header, value = ''] = /^(charset|from|subject|postmaster-subject):\s*(.*)$/i.exec(line) ?? [];
    if (header === undefined) {
      warn(`${name}_template: unknown or malformed header: ${line} -- ignoring this template`);
      return undefined;
    }
    headers.set(header.toLowerCase(), value);
  }
  const [charset = 'us-ascii', from, subject] = ['charset', 'from', 'subject'].map((header) => headers.get(header));
  const body = lines.slice(blank + 1);
  // oxlint-disable-next-line no-control-regex -- ASCII is the whole question
  const isAscii = /^[\x00-\x7f]*$/.test(body.join(''));
  if (from === undefined || subject === undefined || (charset.toLowerCase() === 'us-ascii' && !isAscii)) {
    const problem = isAscii ? 'missing From: or Subject: header' : '8-bit text without Charset: header';
    warn(`${name}_template: ${problem} -- ignoring this template`);
    return undefined;
  }
  return {
    charset,
    from,
    subject,
    postmasterSubject: headers.get('postmaster-subject') ?? subject,
    lines: body,
    warnings: [],
  };
}
