import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compilePerlExpression, hasPerlExpressions } from '#native';
import { translatePerlExpression } from '../../src/tables/perl-fallback.ts';

const piece = fc.constantFrom(
  'a',
  'B',
  'c',
  ':',
  ' ',
  '\n',
  '#',
  '.',
  '*',
  '+',
  '?',
  '*?',
  '|',
  '(',
  ')',
  '(?:',
  '(?i)',
  '(?-i)',
  '(?i:',
  '(?=',
  '(?!',
  '(?<=',
  '(?s)',
  '(?x)',
  '[',
  ']',
  '[^',
  '[a-c]',
  '[[:alpha:]]',
  '{2}',
  '{,2}',
  '{1,}',
  '^',
  '$',
  '-',
  'é',
  String.raw`\d`,
  String.raw`\w`,
  String.raw`\s`,
  String.raw`\b`,
  String.raw`\A`,
  String.raw`\z`,
  String.raw`\Z`,
  String.raw`\h`,
  String.raw`\R`,
  String.raw`\Q.*\E`,
  String.raw`\.`,
  String.raw`\x{41}`,
  String.raw`[\s\-]`,
);
const key = fc
  .array(fc.constantFrom('a', 'A', 'b', 'B', 'c', ':', ' ', '\n', '.', '*', '1', 'é', '#', '-'))
  .map((pieces) => pieces.join(''));
const options = fc.record({
  ignoreCase: fc.boolean(),
  multiline: fc.boolean(),
  dotAll: fc.boolean(),
  extended: fc.boolean(),
  anchored: fc.boolean(),
  dollarEndOnly: fc.boolean(),
  ungreedy: fc.boolean(),
});

describe('a translated Perl expression', () => {
  it('matches what PCRE2 matches, where it is not refused', { skip: !hasPerlExpressions() && 'no PCRE2' }, () => {
    fc.assert(
      fc.property(
        fc.array(piece).map((pieces) => pieces.join('')),
        key,
        options,
        (pattern, subject, flags) => {
          const translated = translatePerlExpression(Buffer.from(pattern), flags);
          if ('problem' in translated) return;
          const perl = compilePerlExpression(Buffer.from(pattern), flags);
          if ('problem' in perl) return;
          const bytes = Buffer.from(`${subject}\0`);
          assert.equal(translated.matches(bytes), perl.matches(bytes));
          assert.equal(translated.groups, perl.groups);
          // JavaScript forgets what a group matched in earlier rounds of a repeat.
          if (!/\)[*+?{]/.test(pattern)) assert.deepEqual(translated.captures(bytes), perl.captures(bytes));
          perl.free();
        },
      ),
      { numRuns: Number(process.env['FUZZ'] ?? 2000) },
    );
  });
});
