/** Replies and lookups for the eye. */
import type { Lookup, ReplyReport } from './report.ts';

/** `550 5.1.1 text`; further lines below one another. */
export function replyLines({ code, lines }: ReplyReport): readonly string[] {
  return lines.map((line, i) => `${code}${i < lines.length - 1 ? '-' : ' '}${line}`);
}

const isMiss = ({ kind, found, answer }: Lookup): boolean => kind === 'table' && !found && answer === '';

/** One line a lookup, `TABLE: KEY: ANSWER`; keys that one table does not know share a line, none is there twice. */
export function lookupLines(lookups: readonly Lookup[], ownTable = ''): readonly string[] {
  const runs: (readonly [Lookup, ...Lookup[]])[] = [];
  for (const lookup of lookups) {
    const last = runs.at(-1);
    if (last !== undefined && isMiss(last[0]) && isMiss(lookup) && last[0].where === lookup.where)
      runs[runs.length - 1] = [...last, lookup];
    else runs.push([lookup]);
  }
  const lines = runs.map((run) => {
    const [{ kind, where }] = run;
    const keys = run.map(({ key }) => key).join(', ');
    const asked = kind === 'dns' ? `DNS ${where} ${keys}` : kind === 'host' ? `host ${keys}` : `${where}: ${keys}`;
    return `${where === ownTable ? keys : asked}: ${answerText(run[0])}`;
  });
  return [...new Set(lines)];
}

function answerText({ kind, found, answer }: Lookup): string {
  switch (kind) {
    case 'list':
      if (found) return `in the list, as ${answer}`;
      return answer === '' ? 'not in the list' : `not in the list, because of ${answer}`;
    case 'table':
      if (found) return answer === '' ? '(an empty value)' : answer;
      return answer === '' ? 'nothing' : `failed: ${answer}`;
    case 'dns':
    case 'host':
      // the question stands on the same line
      return answer.replace(/^.*Name service error for name=\S+ type=\S+ /, '');
  }
}
