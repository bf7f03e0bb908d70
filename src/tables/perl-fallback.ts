/** `pcre:` expressions on a system without PCRE2: translated, and run by JavaScript. pcre_table(5) */
import type { NativeExpression, PerlOptions } from '#native';
import { SyntaxProblem, translatePerl } from './perl-translation.ts';

/** The expression; or what is wrong with it, and where. Matches bytes, as PCRE2 does. */
export function translatePerlExpression(
  pattern: Buffer,
  options: PerlOptions,
): NativeExpression | { readonly offset: number; readonly problem: string } {
  try {
    const source = translatePerl(pattern.toString('latin1'), options);
    const expression = new RegExp(source, options.ignoreCase ? 'i' : '');
    const groups = (new RegExp(`${source}|`).exec('')?.length ?? 1) - 1;
    const textOf = (subject: Buffer): string => subject.toString('latin1', 0, subject.length - 1);
    return {
      groups,
      matches: (subject) => expression.test(textOf(subject)),
      captures: (subject) =>
        expression.exec(textOf(subject))?.map((text: string | undefined) => Buffer.from(text ?? '', 'latin1')),
      free: () => undefined,
    };
  } catch (error) {
    if (error instanceof SyntaxProblem) return { offset: error.at, problem: error.message };
    if (error instanceof SyntaxError) return { offset: pattern.length, problem: error.message };
    throw error;
  }
}
