/** header_checks, mime_header_checks, body_checks: tables that look at content. header_checks(5) */
import type { SubmissionAction } from '#message';
import type { TableList } from '#tables';

/** What a check says of one line. */
export type CheckResult =
  | { readonly kind: 'keep' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'replace'; readonly text: string }
  | { readonly kind: 'before'; readonly text: string }
  | { readonly kind: 'refuse'; readonly dsn: string; readonly text: string }
  | { readonly kind: 'pass' };

export interface CheckOutcome {
  readonly result: CheckResult;
  /** The word for the log; '' when nothing is to be said. */
  readonly word: string;
  readonly text: string;
  readonly action?: SubmissionAction;
}

const keep: CheckResult = { kind: 'keep' };

/** Looks one logical header or body line up; undefined when no rule matches. Throws the table's reason. */
export async function checkLine(
  tables: TableList,
  parameter: string,
  line: string,
  warn: (text: string) => void,
): Promise<CheckOutcome | undefined> {
  const answer = tables.lookup(line);
  const found = answer instanceof Promise ? await answer : answer;
  if (found.kind === 'failed') throw new Error(`${found.table.name}: ${found.reason}`);
  return found.kind === 'missing' ? undefined : readAction(found.value, parameter, warn);
}

function readAction(value: string, title: string, warn: (text: string) => void): CheckOutcome | undefined {
  const [, word = '', text = ''] = /^(\S+)\s*([^]*)$/.exec(value.trim()) ?? [];
  const said = (result: CheckResult, action?: SubmissionAction): CheckOutcome => ({
    result,
    word: word.toLowerCase(),
    text,
    ...(action === undefined ? {} : { action }),
  });
  switch (word.toUpperCase()) {
    case 'REJECT': {
      const match = /^([45]\.\d{1,3}\.\d{1,3})\s*([^]*)$/.exec(text);
      return said({
        kind: 'refuse',
        dsn: match?.[1] ?? '5.7.1',
        text: (match === null ? text : (match[2] ?? '')) || 'message content rejected',
      });
    }
    case 'DISCARD':
      return said({ kind: 'pass' }, { kind: 'discard' });
    case 'HOLD':
      return said(keep, { kind: 'hold' });
    case 'FILTER':
      return said(keep, { kind: 'filter', destination: text });
    case 'REDIRECT':
      return said({ kind: 'pass' }, { kind: 'redirect', address: text });
    case 'BCC':
      return said(keep, { kind: 'bcc', address: text });
    case 'PASS':
      return said({ kind: 'pass' });
    case 'WARN':
      return { ...said(keep), word: 'warning' };
    case 'INFO':
      return said(keep);
    case 'PREPEND':
      return said({ kind: 'before', text });
    case 'REPLACE':
      return said({ kind: 'replace', text });
    case 'STRIP':
      return said({ kind: 'drop' });
    case 'IGNORE':
      return { result: { kind: 'drop' }, word: '', text: '' };
    case 'OK':
    case 'DUNNO':
      return undefined;
    default:
      warn(`unknown command in ${title} map: ${value}`);
      return undefined;
  }
}
