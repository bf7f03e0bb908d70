/** What a table of header or body checks says of one line. header_checks(5) */
import type { SubmissionAction } from '#message';
import { fieldName } from './header-fields.ts';

export type CheckAction =
  /** Nothing to do: DUNNO, OK, or a rule that can't be used. */
  | { readonly kind: 'none' }
  /** The line stays; `action` is for the whole message. */
  | { readonly kind: 'keep'; readonly word: string; readonly text: string; readonly action?: SubmissionAction }
  /** The line stays, and no further line is looked at. */
  | { readonly kind: 'last'; readonly word: string; readonly text: string; readonly action?: SubmissionAction }
  /** The line goes away; `word` is '' when the log says nothing of it. */
  | { readonly kind: 'drop'; readonly word: string; readonly text: string }
  | { readonly kind: 'replace'; readonly text: string }
  | { readonly kind: 'prepend'; readonly text: string }
  | { readonly kind: 'reject'; readonly dsn: string; readonly text: string };

const none: CheckAction = { kind: 'none' };

/** Reads the right-hand side of a rule; `title` names the table in warnings. */
export function readCheckAction(
  value: string,
  { title, isHeader }: { readonly title: string; readonly isHeader: boolean },
  warn: (text: string) => void,
): CheckAction {
  const [, word = '', text = ''] = /^(\S*)\s*([^]*)$/.exec(value.trim()) ?? [];
  const refuse = (reason: string): CheckAction => {
    warn(reason);
    return none;
  };
  const withAddress = (kind: 'redirect' | 'bcc', what: string): CheckAction => {
    if (!text.includes('@')) return refuse(`bad ${what} "${text}" in ${title} map -- need user@domain`);
    return { kind: kind === 'bcc' ? 'keep' : 'last', word: kind, text, action: { kind, address: text } };
  };
  const newLine = (kind: 'replace' | 'prepend', name: string): CheckAction => {
    if (text === '') return refuse(`${name} action without text in ${title} map`);
    if (isHeader && fieldName(text) === undefined)
      return refuse(`bad ${name} header text "${text}" in ${title} map -- need "headername: headervalue"`);
    return { kind, text };
  };
  switch (word.toUpperCase()) {
    case 'REJECT':
      return rejection(text, warn);
    case 'DISCARD':
      return { kind: 'last', word: 'discard', text, action: { kind: 'discard' } };
    case 'HOLD':
      return { kind: 'keep', word: 'hold', text, action: { kind: 'hold' } };
    case 'FILTER':
      if (text === '') return refuse(`missing FILTER command argument in ${title} map`);
      if (!text.includes(':')) return refuse(`bad FILTER command ${text} in ${title} -- need transport:destination`);
      return { kind: 'keep', word: 'filter', text, action: { kind: 'filter', destination: text } };
    case 'REDIRECT':
      return withAddress('redirect', 'REDIRECT target');
    case 'BCC':
      return withAddress('bcc', 'BCC address');
    case 'PASS':
      return { kind: 'last', word: 'pass', text };
    case 'WARN':
      return { kind: 'keep', word: 'warning', text };
    case 'INFO':
      return { kind: 'keep', word: 'info', text };
    case 'PREPEND':
      return newLine('prepend', 'PREPEND');
    case 'REPLACE':
      return newLine('replace', 'REPLACE');
    case 'STRIP':
      return { kind: 'drop', word: 'strip', text };
    case 'IGNORE':
      return { kind: 'drop', word: '', text: '' };
    case 'DUNNO':
    case 'OK':
      return none;
    default:
      return refuse(`unknown command in ${title} map: ${value}`);
  }
}

/** `REJECT [status code] [text]`. A code of its own needs no text. */
function rejection(text: string, warn: (text: string) => void): CheckAction {
  const [, code, rest = ''] = /^([245]\.\d{1,3}\.\d{1,3})(?:[ \t]+|$)([^]*)$/.exec(text) ?? [];
  if (code === undefined)
    return { kind: 'reject', dsn: '5.7.1', text: text === '' ? 'message content rejected' : text };
  if (!code.startsWith('2')) return { kind: 'reject', dsn: code, text: rest };
  warn(`bad DSN action in ${text} -- need 4.x.x or 5.x.x`);
  return { kind: 'reject', dsn: `4${code.slice(1)}`, text: rest };
}
