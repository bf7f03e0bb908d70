/**
 * Rule files of pattern tables: regexp, pcre, cidr. One structure (`pattern result`, `!pattern`, if … endif), three
 * kinds of pattern. regexp_table(5), pcre_table(5), cidr_table(5)
 */
import { readFileSync } from 'node:fs';
import { readLogicalLines, splitList } from '#config';
import { errnoText } from './memory-table.ts';

/** What a matched pattern offers for `$1` in the result; undefined: no match. */
export type Matcher = (key: string) => readonly (string | undefined)[] | undefined;

export type Rule =
  | {
      readonly kind: 'match';
      readonly matches: Matcher;
      readonly negated: boolean;
      readonly result: string;
      readonly line: number;
    }
  /** A block that is entered when its pattern matches. */
  | { readonly kind: 'if'; readonly matches: Matcher; readonly negated: boolean; readonly rules: readonly Rule[] };

/** Compiles the pattern at the start of a text; gives the rest, or what is wrong. */
export type PatternReader = (
  text: string,
) => { readonly matches: Matcher; readonly rest: string; readonly groups: number } | string;

interface SourceLine {
  readonly text: string;
  readonly line: number;
}

/** Lines of a rule file, or of an inline `{ {rule}, {rule} }`. */
function ruleLines(path: string): readonly SourceLine[] | string {
  if (path.startsWith('{')) {
    return splitList(path.slice(1, -1)).map((element, i) => ({
      text: element.replace(/^\{\s*([^]*?)\s*\}$/, '$1'),
      line: i + 1,
    }));
  }
  try {
    return readLogicalLines(readFileSync(path, 'utf8')).lines.map(({ text, line }) => ({ text: text.trim(), line }));
  } catch (error) {
    return `open ${path}: ${errnoText(error)}`;
  }
}

/** Reads a rule file. A bad rule is a warning and is skipped, as in Postfix; a file that can't be read is a text. */
export function readRules(
  path: string,
  read: PatternReader,
  warn: (text: string) => void,
  what: string,
): readonly Rule[] | string {
  const lines = ruleLines(path);
  if (typeof lines === 'string') return lines;
  const place = (line: number): string =>
    path.startsWith('{') ? `${what} inline rule ${line}` : `${what} ${path}, line ${line}`;
  const top: Rule[] = [];
  const open: { rules: Rule[]; line: number }[] = [{ rules: top, line: 0 }];
  for (const { text, line } of lines) {
    const skip = (reason: string): void => warn(`${place(line)}: ${reason}: skipping this rule`);
    const block = /^(if|endif)\b\s*/i.exec(text);
    const current = open.at(-1);
    if (current === undefined) break;
    if (block?.[1]?.toLowerCase() === 'endif') {
      if (open.length === 1) warn(`${place(line)}: ignoring ENDIF without matching IF`);
      else open.pop();
      continue;
    }
    const isBlock = block !== null && /^[!/|,;:=~#%&@^[\d]/.test(text.slice(block[0].length));
    const body = isBlock ? text.slice(block[0].length) : text;
    const negated = /^(?:!\s*)+/.exec(body)?.[0] ?? '';
    const pattern = read(body.slice(negated.length));
    if (typeof pattern === 'string') {
      skip(pattern);
      continue;
    }
    const isNegated = negated.replaceAll(/\s/g, '').length % 2 === 1;
    if (isBlock) {
      const rules: Rule[] = [];
      current.rules.push({ kind: 'if', matches: pattern.matches, negated: isNegated, rules });
      open.push({ rules, line });
      continue;
    }
    const result = pattern.rest.trim();
    if (result === '') skip('no replacement text: using empty string');
    current.rules.push({ kind: 'match', matches: pattern.matches, negated: isNegated, result, line });
  }
  for (const { line } of open.slice(1)) warn(`${place(line)}: IF has no matching ENDIF`);
  return top;
}

/** First rule that matches. */
export function evaluateRules(
  rules: readonly Rule[],
  key: string,
): { readonly rule: Rule & { kind: 'match' }; readonly groups: readonly (string | undefined)[] } | undefined {
  for (const rule of rules) {
    const groups = rule.matches(key);
    if ((groups === undefined) !== rule.negated) continue;
    if (rule.kind === 'match') return { rule, groups: groups ?? [] };
    const inner = evaluateRules(rule.rules, key);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

/** `$1`, `${1}`, `$(1)`, `$$`. */
export function substitute(text: string, groups: readonly (string | undefined)[]): string {
  if (!text.includes('$')) return text;
  return text.replaceAll(/\$(?:\$|(\d+)|\{(\d+)\}|\((\d+)\))/g, (whole, a?: string, b?: string, c?: string) => {
    if (whole === '$$') return '$';
    return groups[Number(a ?? b ?? c)] ?? '';
  });
}
