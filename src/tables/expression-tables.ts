/** `regexp:` and `pcre:` tables. regexp_table(5), pcre_table(5) */
import { bytesOf } from '#message';
import { compilePerlExpression, compilePosixExpression, hasPerlExpressions, type NativeExpression } from '#native';
import { expressionRules, type ExpressionSyntax, Subject } from './expression-rules.ts';
import { flagTest } from './pattern-text.ts';
import { askTogether, type JoinableRule } from './joined-expressions.ts';
import { missing } from './memory-table.ts';
import { translatePerlExpression } from './perl-fallback.ts';
import type { TableFileReader } from './file-reader.ts';
import { firstAnswer, readRules, type Rule } from './rule-files.ts';
import { joinRuns } from './rule-runs.ts';
import type { Table, TableUse } from './table.ts';

/** Extended expressions; flags `i` (on), `m` (off), `x` (on) toggle. */
const posixSyntax: ExpressionSyntax = {
  name: 'regexp',
  flags: 'imx',
  obsoleteFlags: '',
  unclosed: 'skipping this rule',
  hasExceptions: true,
  outOfRange: 'out-of-range',
  compile: (pattern, has) =>
    compilePosixExpression(bytesOf(`${pattern}\0`), { extended: !has('x'), ignoreCase: !has('i'), newlines: has('m') }),
  isPlain: (has) => !has('x') && !has('m'),
  ignoresCase: (has) => !has('i'),
  canJoin: false,
};

/** Perl's expressions; flags `i` and `s` (on), `m`, `x`, `A`, `E`, `U` (off) toggle; `X` has no effect any more. */
const perlSyntax: ExpressionSyntax = {
  name: 'pcre',
  flags: 'imsxAEUX',
  obsoleteFlags: 'X',
  unclosed: 'ignoring this rule',
  hasExceptions: false,
  outOfRange: 'out of range',
  compile: (pattern, has) => {
    const compile = hasPerlExpressions() ? compilePerlExpression : translatePerlExpression;
    const compiled = compile(bytesOf(pattern), {
      ignoreCase: !has('i'),
      multiline: has('m'),
      dotAll: !has('s'),
      extended: has('x'),
      anchored: has('A'),
      dollarEndOnly: has('E'),
      ungreedy: has('U'),
    });
    return 'problem' in compiled ? `error in regex at offset ${compiled.offset}: ${compiled.problem}` : compiled;
  },
  isPlain: (has) => !has('x') && !has('m'),
  ignoresCase: (has) => !has('i'),
  canJoin: true,
};

type OpenExpressionTable = (
  name: string,
  path: string,
  use: TableUse,
  files: TableFileReader,
  warn: (text: string) => void,
) => Table | string;

const expressionTable =
  (syntax: ExpressionSyntax): OpenExpressionTable =>
  (name, path, use, files, warn) => {
    const compiled: NativeExpression[] = [];
    const allowsSubstitution = use.paranoid !== true && use.noSubstitution !== true;
    const joinable = new Map<Rule<Subject>, JoinableRule>();
    const allowsAnyBytes = use.anyBytes === true;
    const options = { syntax, table: name, allowsSubstitution, allowsAnyBytes, warn, compiled, joinable };
    const reader = expressionRules(options);
    const read = readRules(path, reader, files, warn);
    if (typeof read === 'string') return read;
    const compile = (pattern: string, flags: string): NativeExpression | undefined => {
      const expression = syntax.compile(pattern, flagTest(flags));
      return typeof expression === 'string' ? undefined : expression;
    };
    let rules = joinRuns(read.rules, joinable, (run) => askTogether(run, compile, compiled));
    return {
      name,
      owner: read.owner,
      acceptsPartialKeys: false,
      lookup: (key) => firstAnswer(rules, new Subject(key)) ?? missing,
      close: () => {
        // Asking an expression that was freed would end the process.
        rules = [];
        for (const expression of compiled.splice(0)) expression.free();
      },
    };
  };

/** regexp_table(5) */
export const regexpTable = expressionTable(posixSyntax);

/** pcre_table(5) */
export const pcreTable = expressionTable(perlSyntax);
