/**
 * Many Perl expressions asked as one: most keys match none of a table's rules, and one call into the C library says so.
 * Only where one matches is it asked which.
 */
import { MatchFailure, type NativeExpression } from '#native';
import type { Subject } from './expression-rules.ts';
import type { Rule } from './rule-files.ts';

/** An expression of a rule that means the same in parentheses among others. */
export interface JoinableRule {
  readonly pattern: string;
  readonly flags: string;
  /** A start that is compared before the library is asked. */
  readonly hasStart: boolean;
}

type Run = readonly (readonly [rule: Rule<Subject>, joinable: JoinableRule])[];

/** Fewer gain nothing. */
const leastExpressions = 3;
/** The library's bound of an expression's size is not reached with this many of usual length. */
const mostExpressions = 50;

/**
 * Whether a pattern depends on nothing outside of itself: no references to groups, which count from the start of the
 * whole; no verbs, quotes, comments or conditions.
 */
export function isSelfContained(pattern: string): boolean {
  return !/\\[\dgkKQEGXRC]|\(\*|\(\?(?!:|=|!|<=|<!|i\)|i:)/.test(pattern);
}

/** `compile` gives undefined where the library refuses. What is compiled goes to `compiled`, to be freed. */
export function askTogether(
  run: Run,
  compile: (pattern: string, flags: string) => NativeExpression | undefined,
  compiled: NativeExpression[],
): readonly Rule<Subject>[] {
  const out: Rule<Subject>[] = [];
  for (const part of partsOf(run)) {
    const rules = part.map(([rule]) => rule);
    const isWorth = part.filter(([, { hasStart }]) => !hasStart).length >= leastExpressions;
    const flags = part[0]?.[1].flags ?? '';
    const any = isWorth ? compile(part.map(([, { pattern }]) => `(?:${pattern})`).join('|'), flags) : undefined;
    if (any === undefined) {
      out.push(...rules);
      continue;
    }
    compiled.push(any);
    out.push({ kind: 'block', enters: ({ bytes }) => mayMatch(any, bytes), rules });
  }
  return out;
}

/** Neighbours with the same flags, not too many. */
function partsOf(run: Run): readonly Run[] {
  const parts: (readonly [Rule<Subject>, JoinableRule])[][] = [];
  for (const one of run) {
    const last = parts.at(-1);
    if (last !== undefined && last.length < mostExpressions && last[0]?.[1].flags === one[1].flags) last.push(one);
    else parts.push([one]);
  }
  return parts;
}

/** Where the library gives up on all of them, each is asked alone. */
function mayMatch(any: NativeExpression, subject: Buffer): boolean {
  try {
    return any.matches(subject);
  } catch (error) {
    if (!(error instanceof MatchFailure)) throw error;
    return true;
  }
}
