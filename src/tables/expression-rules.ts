/** Lines of regexp and pcre tables: `/pattern/flags result`, `!`, `if`, `endif`. regexp_table(5), pcre_table(5) */
import { bytesOf, printable, textOf } from '#message';
import { MatchFailure, type NativeExpression } from '#native';
import { cutPattern, flagTest, type PatternSyntax, type PatternText } from './pattern-text.ts';
import { literalPrefix } from './literal-prefix.ts';
import { parseReplacement, replaced, type Replacement } from './replacement.ts';
import { isSelfContained, type JoinableRule } from './joined-expressions.ts';
import type { Rule, RuleLine, RuleSyntax } from './rule-files.ts';
import type { LookupResult } from './table.ts';

/** A key as the libraries want it, made when the first of them is asked. */
export class Subject {
  readonly key: string;
  #bytes: Buffer | undefined;

  constructor(key: string) {
    this.key = key;
  }

  /** With a NUL behind. */
  get bytes(): Buffer {
    this.#bytes ??= bytesOf(`${this.key}\0`);
    return this.#bytes;
  }
}

/** In what the two kinds of expression tables differ. */
export interface ExpressionSyntax extends PatternSyntax {
  /** `regexp` */
  readonly name: string;
  /** What is said of group 0 and below. */
  readonly outOfRange: string;
  /** `has` tells whether a flag was given, that is, an odd number of times. */
  compile(pattern: string, has: (flag: string) => boolean): NativeExpression | string;
  /** Whether a leading `^` means the start of the key, and blanks in a pattern themselves. */
  isPlain(has: (flag: string) => boolean): boolean;
  ignoresCase(has: (flag: string) => boolean): boolean;
  /** Whether several expressions can be asked as one. */
  readonly canJoin: boolean;
}

/** Whether a key is known to match, or with `wanted` false not to: where the library gives up, neither is. */
type Test = (subject: Subject, wanted: boolean) => boolean;

type Warn = (text: string) => void;

interface Compiled {
  readonly expression: NativeExpression;
  readonly test: Test;
  readonly joinable: JoinableRule | undefined;
}

export interface ExpressionRulesOptions {
  readonly syntax: ExpressionSyntax;
  readonly table: string;
  readonly allowsSubstitution: boolean;
  /** Results may be no UTF-8. */
  readonly allowsAnyBytes: boolean;
  readonly warn: Warn;
  /** Gets what is compiled, to be freed. */
  readonly compiled: NativeExpression[];
  /** Gets the rules that can be asked together with others. */
  readonly joinable: Map<Rule<Subject>, JoinableRule>;
}

/** The reader of one table's lines. */
export function expressionRules(options: ExpressionRulesOptions): RuleSyntax<Subject> {
  const reader = new ExpressionReader(options);
  return {
    name: options.syntax.name,
    strayEndif: 'ignoring ENDIF without matching IF',
    extraAfterEndif: 'ignoring extra text after ENDIF',
    endifMayHaveExtra: true,
    read: (line, warn) => reader.read(line, warn),
  };
}

class ExpressionReader {
  readonly #options: ExpressionRulesOptions;

  constructor(options: ExpressionRulesOptions) {
    this.#options = options;
  }

  read(line: string, warn: Warn): RuleLine<Subject> {
    if (!/^[A-Za-z0-9]/.test(line)) return this.#readAnswer(line, warn);
    const keyword = /^(if|endif)(?![A-Za-z0-9])/i.exec(line)?.[1];
    if (keyword === undefined) {
      warn('ignoring unrecognized request');
      return undefined;
    }
    const rest = line.slice(keyword.length);
    return keyword.length === 2 ? this.#readIf(rest.trim(), warn) : { kind: 'endif', extra: rest.trim() };
  }

  #readAnswer(line: string, warn: Warn): RuleLine<Subject> {
    const { syntax } = this.#options;
    const first = cutPattern(line, syntax, warn);
    if (first === undefined) return undefined;
    let rest = first.rest;
    let except: PatternText | undefined;
    if (syntax.hasExceptions && rest.startsWith('!')) {
      except = cutPattern(rest, syntax, warn);
      if (except === undefined) return undefined;
      rest = except.rest;
    }
    const replacement = this.#readReplacement(rest.trim(), first.negated, warn);
    if (replacement === undefined) return undefined;
    const main = this.#compile(first, warn);
    if (main === undefined) return undefined;
    if (replacement.lastGroup > main.expression.groups) {
      warn(`out of range replacement index "${replacement.lastGroup}": skipping this rule`);
      return undefined;
    }
    const exception = except === undefined ? undefined : this.#compile(except, warn);
    if (except !== undefined && exception === undefined) return undefined;
    const matches = (subject: Subject): boolean =>
      main.test(subject, !first.negated) &&
      (except === undefined || exception === undefined || exception.test(subject, !except.negated));
    const answerFor = answers(replacement, main.expression, this.#options);
    const rule: Rule<Subject> = {
      kind: 'answer',
      answer: (subject) => (matches(subject) ? answerFor(subject) : undefined),
    };
    const isAlone = first.negated || except !== undefined;
    if (main.joinable !== undefined && !isAlone) this.#options.joinable.set(rule, main.joinable);
    return rule;
  }

  #readReplacement(text: string, negated: boolean, warn: Warn): Replacement | undefined {
    if (text === '') warn('no replacement text: using empty string');
    const replacement = parseReplacement(text, this.#options.syntax.outOfRange);
    if ('problem' in replacement) {
      (replacement.ofRule ? warn : this.#options.warn)(replacement.problem);
      warn('bad replacement syntax: skipping this rule');
      return undefined;
    }
    if (replacement.lastGroup === 0) return replacement;
    if (negated) warn('$number found in negative match replacement text: skipping this rule');
    else if (!this.#options.allowsSubstitution)
      warn('regular expression substitution is not allowed: skipping this rule');
    else return replacement;
    return undefined;
  }

  #compile(text: PatternText, warn: Warn): Compiled | undefined {
    const { syntax, compiled } = this.#options;
    const has = flagTest(text.flags);
    const expression = syntax.compile(text.pattern, has);
    if (typeof expression === 'string') {
      warn(expression);
      return undefined;
    }
    compiled.push(expression);
    const starts = syntax.isPlain(has) ? literalPrefix(text.pattern, syntax.ignoresCase(has)) : undefined;
    const test: Test = (subject, wanted) => {
      if (starts !== undefined && !starts(subject.key)) return !wanted;
      return unlessGivenUp(() => expression.matches(subject.bytes) === wanted, warn) ?? false;
    };
    const isJoinable = syntax.canJoin && syntax.isPlain(has) && isSelfContained(text.pattern);
    const { pattern, flags } = text;
    const joinable = isJoinable ? { pattern, flags, hasStart: starts !== undefined } : undefined;
    return { expression, test, joinable };
  }

  #readIf(text: string, warn: Warn): RuleLine<Subject> {
    const pattern = cutPattern(text, this.#options.syntax, warn);
    if (pattern === undefined) return undefined;
    const extra = pattern.rest.trim();
    if (extra !== '') {
      warn(`ignoring extra text after IF statement: "${extra}"`);
      warn('do not prepend whitespace to statements between IF and ENDIF');
    }
    const condition = this.#compile(pattern, warn);
    if (condition === undefined) return undefined;
    return { kind: 'if', enters: (subject) => condition.test(subject, !pattern.negated) };
  }
}

/** What a rule answers once it has matched. */
function answers(
  replacement: Replacement,
  expression: NativeExpression,
  { table, allowsAnyBytes, warn }: ExpressionRulesOptions,
): (subject: Subject) => LookupResult | undefined {
  const isUsable = (value: string): boolean => allowsAnyBytes || value.isWellFormed();
  const unusable = (subject: Subject, value: string): LookupResult => {
    const shown = printable(value, '?', false);
    warn(`${table}: key "${subject.key}": non-UTF-8 value "${shown}": malformed UTF-8 or invalid codepoint`);
    return { kind: 'failed', reason: '' };
  };
  if (replacement.lastGroup === 0) {
    const value = textOf(replaced(replacement, []));
    const result: LookupResult = { kind: 'found', value };
    return isUsable(value) ? () => result : (subject) => unusable(subject, value);
  }
  return (subject) => {
    const captures = unlessGivenUp(() => expression.captures(subject.bytes), warn);
    if (captures === undefined) return undefined;
    const value = textOf(replaced(replacement, captures));
    return isUsable(value) ? { kind: 'found', value } : unusable(subject, value);
  };
}

/** Undefined, with a warning, where the library gives up. */
function unlessGivenUp<T>(match: () => T, warn: Warn): T | undefined {
  try {
    return match();
  } catch (error) {
    if (!(error instanceof MatchFailure)) throw error;
    warn(error.message);
    return undefined;
  }
}
