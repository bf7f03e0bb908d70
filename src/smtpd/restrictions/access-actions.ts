/** What the results of tables and policy servers do. access(5) */
import { splitListWithIndex } from '#config';
import { isHeaderName } from '#smtp';
import {
  configurationError,
  type Decision,
  dunno,
  type Evaluation,
  maxDepth,
  type Permitted,
  type ProgramOptions,
  type Toolbox,
} from './restriction.ts';
import { codeFor } from './subjects.ts';

/** Where a result comes from. */
export interface Source {
  /** The table or server, for log lines. */
  readonly place: string;
  /** What was looked up. */
  readonly datum: string;
  /** Of the list in which the result counts. */
  readonly program: ProgramOptions;
  readonly permitted?: Permitted;
}

export function applyAction(value: string, evaluation: Evaluation, toolbox: Toolbox, source: Source): Decision {
  const [, word = '', rest = ''] = /^([^ \t]*)\s*([^]*)$/.exec(value) ?? [];
  const { accessCodes } = toolbox.compiled;
  const upper = word.toUpperCase();
  switch (upper) {
    case 'DUNNO':
      return dunno;
    case 'OK':
    case 'RELAY':
      return permitAs(word, source);
    case 'REJECT':
      return { kind: 'reject', ...wording(evaluation, accessCodes.reject, '5.7.1', rest) };
    case 'DEFER':
      return { kind: 'reject', ...wording(evaluation, accessCodes.defer, '4.7.1', rest) };
    case 'DEFER_IF_PERMIT':
    case 'DEFER_IF_REJECT': {
      const words = wording(evaluation, accessCodes.defer, '4.7.1', rest, 'Service unavailable');
      return { kind: upper === 'DEFER_IF_PERMIT' ? 'deferIfPermit' : 'deferIfReject', ...words };
    }
    case 'HANGUP':
      return { kind: 'abandon', note: rest };
    case 'INFO':
    case 'WARN':
      evaluation.log(upper === 'INFO' ? 'info' : 'warn', rest);
      return dunno;
    case 'HOLD':
    case 'DISCARD':
    case 'FILTER':
    case 'REDIRECT':
    case 'BCC':
      return canDelegate(upper, evaluation, toolbox, source.place)
        ? delegated(upper, word, rest, evaluation, source)
        : dunno;
    case 'PREPEND':
      return prepended(rest, evaluation, source);
    default:
      break;
  }
  if (/^\d+$/.test(value)) return permitAs(word, source);
  if (/^[45]\d\d$/.test(word) && rest !== '')
    return { kind: 'reject', ...wording(evaluation, Number(word), `${word.charAt(0)}.7.1`, rest) };
  return further(value, evaluation, toolbox, source);
}

function permitAs(action: string, { place, permitted }: Source): Decision {
  const as = { action, place: `from ${place}` };
  return permitted === undefined ? { kind: 'permit', as } : { kind: 'permit', as, permitted };
}

/** An enhanced code in front of a text, made to agree with the reply code. */
function wording(
  { subject, note }: Evaluation,
  code: number,
  dsn: string,
  text: string,
  standard = 'Access denied',
): { readonly code: number; readonly dsn: string; readonly text: string } {
  const match = /^([245]\.\d{1,3}\.\d{1,3})(?:\s+([^]*))?$/.exec(text.trim());
  const given = match?.[1] ?? dsn;
  const words = match === null ? text.trim() : (match[2] ?? '');
  return {
    code,
    dsn: codeFor(given, subject, note),
    text: `<${subject.datum}>: ${subject.replyClass} rejected: ${words === '' ? standard : words}`,
  };
}

/** A result that is a list of restrictions. */
function further(
  value: string,
  evaluation: Evaluation,
  toolbox: Toolbox,
  { place, program, permitted }: Source,
): Decision {
  const { warn, tableDepth, subject } = evaluation;
  if (value.includes(':')) {
    warn(`access table ${place} has entry with lookup table: ${value}`);
    warn('do not specify lookup tables inside SMTPD access maps');
    warn('define a restriction class and specify its name instead.');
    return configurationError;
  }
  if (tableDepth >= maxDepth) {
    warn(`access table ${place} entry ${value} causes unreasonable recursion`);
    return configurationError;
  }
  const elements = splitListWithIndex(value);
  if (elements.length > 0) {
    const restrictions = toolbox.parse(elements, program);
    return permitted === undefined
      ? { kind: 'list', subject, restrictions }
      : { kind: 'list', subject, restrictions, permitted };
  }
  // an empty result meant OK once
  warn(`access table ${place} entry ${value} has empty value`);
  return permitted === undefined ? { kind: 'permit', as: silent } : { kind: 'permit', as: silent, permitted };
}

/** No name of an action: not logged by smtpd_log_access_permit_actions. */
const silent = { action: '', place: '' };

type Delegated = 'HOLD' | 'DISCARD' | 'FILTER' | 'REDIRECT' | 'BCC';

function canDelegate(
  action: Delegated,
  { stage, facts, warn }: Evaluation,
  { compiled }: Toolbox,
  place: string,
): boolean {
  if (compiled.hasProxyFilter) {
    warn(`access table ${place}: with smtpd_proxy_filter specified, action ${action} is unavailable`);
    return false;
  }
  if (stage === 'etrn') {
    warn(`access table ${place}: action ${action} is unavailable in smtpd_etrn_restrictions`);
    return false;
  }
  return hasMessage(action, facts.sender, warn, place);
}

/** Before MAIL there is no message to do anything with. */
function hasMessage(action: string, sender: string | undefined, warn: (text: string) => void, place: string): boolean {
  if (sender !== undefined) return true;
  warn(
    `access table ${place}: with smtpd_delay_reject=no, action ${action} is always skipped in Client host or Helo command restrictions`,
  );
  return false;
}

function delegated(action: Delegated, word: string, rest: string, evaluation: Evaluation, source: Source): Decision {
  const { subject, warn } = evaluation;
  const entry = `access table ${source.place} entry "${source.datum}"`;
  const describe = (text: string): string => `<${subject.datum}>: ${subject.replyClass} ${text}`;
  switch (action) {
    case 'HOLD':
      if (evaluation.isHeld()) return dunno;
      evaluation.act({ kind: 'hold' });
      evaluation.log('hold', describe(rest === '' ? 'triggers HOLD action' : rest));
      return dunno;
    case 'DISCARD':
      evaluation.act({ kind: 'discard' });
      evaluation.log('discard', describe(rest === '' ? 'triggers DISCARD action' : rest));
      return permitAs(word, source);
    case 'FILTER':
      if (!rest.includes(':')) {
        warn(rest === '' ? `${entry} has FILTER entry without value` : `${entry} requires transport:destination`);
        return dunno;
      }
      evaluation.act({ kind: 'filter', destination: rest });
      evaluation.log('filter', describe(`triggers FILTER ${rest}`));
      return dunno;
    case 'REDIRECT':
    case 'BCC':
      if (!rest.includes('@')) {
        warn(`${entry} requires user@domain target`);
        return dunno;
      }
      evaluation.act({ kind: action === 'BCC' ? 'bcc' : 'redirect', address: rest });
      evaluation.log(action === 'BCC' ? 'bcc' : 'redirect', describe(`triggers ${action} ${rest}`));
      return dunno;
  }
}

function prepended(header: string, evaluation: Evaluation, { place, datum }: Source): Decision {
  const { facts, stage, warn } = evaluation;
  if (!hasMessage('PREPEND', facts.sender, warn, place)) return dunno;
  if (stage === 'endOfData')
    warn(`access table ${place}: action PREPEND must be used before smtpd_end_of_data_restrictions`);
  else if (!isHeaderName(header)) warn(`access table ${place} entry "${datum}" requires header: text`);
  else evaluation.act({ kind: 'prepend', header });
  return dunno;
}
