/**
 * The files of rules behind regexp, pcre and cidr tables: lines that answer, in blocks of `if` and `endif`, or rules
 * in main.cf itself, `{ {rule}, {rule} }`. regexp_table(5), pcre_table(5), cidr_table(5)
 */
import { readLogicalLines, splitList, strayLineWarning } from '#config';
import { textOf } from '#message';
import { errnoText } from '#native';
import { insideOf } from './braces.ts';
import type { TableFileReader } from './file-reader.ts';
import type { LookupResult } from './table.ts';

/** One rule, for a subject S: a key as its kind of table looks at it. */
export type Rule<S> =
  /** Undefined: the rule doesn't match. */
  | { readonly kind: 'answer'; answer(subject: S): LookupResult | undefined }
  | { readonly kind: 'block'; enters(subject: S): boolean; readonly rules: readonly Rule<S>[] };

/** What a line is; undefined when it is none: its reader has warned. */
export type RuleLine<S> =
  | { readonly kind: 'answer'; answer(subject: S): LookupResult | undefined }
  | { readonly kind: 'if'; enters(subject: S): boolean }
  | { readonly kind: 'endif'; readonly extra: string }
  | undefined;

/** A kind of rule file. */
export interface RuleSyntax<S> {
  /** `regexp`, as warnings call it. */
  readonly name: string;
  /** Reads a line. `warn` puts the file and the line number before its text. */
  read(text: string, warn: (text: string) => void): RuleLine<S>;
  readonly strayEndif: string;
  readonly extraAfterEndif: string;
  /** Whether an `endif` with something behind it counts. */
  readonly endifMayHaveExtra: boolean;
}

interface SourceLine {
  readonly text: string;
  readonly line: number;
}

/** `owner`: of the file, a uid; 0 for main.cf. */
interface Source {
  readonly lines: readonly SourceLine[];
  readonly owner: number;
}

/** What is read of a source. */
export interface RuleFile<S> {
  readonly rules: readonly Rule<S>[];
  readonly owner: number;
}

/** The rules of `{ {rule}, {rule} }`; the line number is the number of the rule. */
function inlineLines(text: string, name: string): Source | string {
  const list = insideOf(text);
  if (typeof list === 'string') return `${name} map: ${list}`;
  const lines: SourceLine[] = [];
  for (const element of splitList(list.inner)) {
    const rule = insideOf(element);
    if (typeof rule === 'string') return `${name} map: ${rule}`;
    lines.push({ text: rule.inner, line: lines.length + 1 });
  }
  return { lines, owner: 0 };
}

function fileLines(path: string, files: TableFileReader, warn: (text: string) => void): Source | string {
  try {
    const { bytes, owner } = files.text(path);
    const { lines, stray } = readLogicalLines(textOf(bytes));
    if (stray !== undefined) warn(strayLineWarning(path, stray));
    return { lines, owner };
  } catch (error) {
    return `open ${path}: ${errnoText(error)}`;
  }
}

/** Reads a rule file. A rule that is wrong is a warning, and skipped; a text says why there are no rules at all. */
export function readRules<S>(
  path: string,
  syntax: RuleSyntax<S>,
  files: TableFileReader,
  warn: (text: string) => void,
): RuleFile<S> | string {
  const { name } = syntax;
  const source = path.startsWith('{') ? inlineLines(path, name) : fileLines(path, files, warn);
  if (typeof source === 'string') return source;
  const top: Rule<S>[] = [];
  const open: { readonly rules: Rule<S>[]; readonly line: number }[] = [];
  const warnAt = (line: number, text: string): void => warn(`${name} map ${path}, line ${line}: ${text}`);
  for (const { text, line } of source.lines) {
    const rules = open.at(-1)?.rules ?? top;
    // a rule in main.cf may be a comment too
    const read = /^\s*(?:#|$)/.test(text) ? undefined : syntax.read(text.trim(), (problem) => warnAt(line, problem));
    if (read?.kind === 'answer') rules.push(read);
    else if (read?.kind === 'if') {
      const block: Rule<S>[] = [];
      rules.push({ kind: 'block', enters: (subject) => read.enters(subject), rules: block });
      open.push({ rules: block, line });
    } else if (read?.kind === 'endif') {
      const isRefused = read.extra !== '' && !syntax.endifMayHaveExtra;
      if (open.length === 0 && !isRefused) warnAt(line, syntax.strayEndif);
      else if (read.extra !== '') warnAt(line, syntax.extraAfterEndif);
      if (read.extra === '' || syntax.endifMayHaveExtra) open.pop();
    }
  }
  for (const { line } of open.toReversed()) warnAt(line, 'IF has no matching ENDIF');
  return { rules: top, owner: source.owner };
}

/** The answer of the first rule that matches. */
export function firstAnswer<S>(rules: readonly Rule<S>[], subject: S): LookupResult | undefined {
  for (const rule of rules) {
    if (rule.kind === 'block' && !rule.enters(subject)) continue;
    const answer = rule.kind === 'answer' ? rule.answer(subject) : firstAnswer(rule.rules, subject);
    if (answer !== undefined) return answer;
  }
  return undefined;
}
