/** Expectations of one's own policy, one a line: `client 192.0.2.1 helo x from a@b to c@d => reject 5.7.1`. */
import { type AskedQuestion, questionOf } from './arguments.ts';
import type { RecipientReport } from './report.ts';

const outcomes = ['accept', 'reject', 'defer', 'hold', 'discard'] as const;

export interface Expected {
  readonly outcome: (typeof outcomes)[number];
  /** Undefined: any. */
  readonly code: number | undefined;
  /** Status code or its beginning: `5.7.1`, `5.7`; undefined: any. RFC 3463 */
  readonly dsn: string | undefined;
}

export interface Expectation {
  readonly line: number;
  readonly text: string;
  readonly question: AskedQuestion;
  readonly service: string | undefined;
  readonly expected: Expected;
}

export interface UnreadableLine {
  readonly line: number;
  readonly problem: string;
}

const keywords = ['client', 'name', 'reverse-name', 'helo', 'from', 'to', 'login', 'tls', 'service'] as const;
type Keyword = (typeof keywords)[number];

/** Words up to a comment; quotes of an address protect white space and stay. */
function wordsOf(line: string): readonly string[] {
  const words = line.match(/(?:"(?:[^"\\]|\\.)*"|\S)+/g) ?? [];
  const comment = words.findIndex((word) => word.startsWith('#'));
  return comment < 0 ? words : words.slice(0, comment);
}

function parseExpected(words: readonly string[]): Expected | string {
  const [word, ...codes] = words;
  const outcome = outcomes.find((one) => one === word?.toLowerCase());
  if (outcome === undefined) return `after => stands one of ${outcomes.join(', ')}, not ${word ?? 'nothing'}`;
  let code: number | undefined;
  let dsn: string | undefined;
  for (const text of codes) {
    if (code === undefined && dsn === undefined && /^[2-5]\d\d$/.test(text)) code = Number(text);
    else if (dsn === undefined && /^[245](?:\.\d{1,3}){0,2}$/.test(text)) dsn = text;
    else return `after ${outcome} may stand a reply code and a status code (550 5.7.1), not ${text}`;
  }
  return { outcome, code, dsn };
}

function parseLine(words: readonly string[]): Pick<Expectation, 'question' | 'service' | 'expected'> | string {
  const arrow = words.indexOf('=>');
  if (arrow < 0) return 'no =>';
  const given = new Map<Keyword, string>();
  const to: string[] = [];
  for (let i = 0; i < arrow; i += 2) {
    const keyword = keywords.find((one) => one === words[i]?.toLowerCase());
    const value = words[i + 1];
    if (keyword === undefined) return `not one of ${keywords.join(', ')}: ${words[i] ?? ''}`;
    if (value === undefined || i + 1 >= arrow) return `nothing after ${keyword}`;
    if (keyword === 'to') to.push(value);
    else if (given.has(keyword)) return `${keyword} is given twice`;
    else given.set(keyword, value);
  }
  const expected = parseExpected(words.slice(arrow + 1));
  if (typeof expected === 'string') return expected;
  const { service, ...rest }: Partial<Record<Keyword, string>> = Object.fromEntries(given);
  const question = questionOf({ ...rest, to });
  return typeof question === 'string' ? question : { question, service, expected };
}

export function parseExpectations(text: string): {
  readonly expectations: readonly Expectation[];
  readonly unreadable: readonly UnreadableLine[];
} {
  const expectations: Expectation[] = [];
  const unreadable: UnreadableLine[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const words = wordsOf(line);
    if (words.length === 0) continue;
    const parsed = parseLine(words);
    if (typeof parsed === 'string') unreadable.push({ line: i + 1, problem: parsed });
    else expectations.push({ line: i + 1, text: words.join(' '), ...parsed });
  }
  return { expectations, unreadable };
}

/** Whether what came is what was expected. `reject` is any refusal, as the log calls it; `defer` one for now. */
export function holds({ outcome, code, dsn }: Expected, { verdict, reply }: RecipientReport): boolean {
  const isRefusal = verdict === 'reject' || verdict === 'defer' || verdict === 'hangup';
  const isOutcome = outcome === 'reject' ? isRefusal : outcome === verdict;
  const isCode = code === undefined || code === reply?.code;
  return isOutcome && isCode && (dsn === undefined || `${reply?.dsn ?? ''}.`.startsWith(`${dsn}.`));
}

export function expectedText({ outcome, code, dsn }: Expected): string {
  return [outcome, code, dsn].filter((word) => word !== undefined).join(' ');
}
