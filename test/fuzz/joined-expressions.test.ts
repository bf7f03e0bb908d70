import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { hasPerlExpressions } from '#native';
import { Workbench } from '../unit/tables/workbench.ts';

/** Whole pieces, so that most patterns can be read; among them those that mean something else in company. */
const pieces =
  'a b c . a* b+ [ab] [^c] (a) (a|b) (?:b|c) (?i) (?i:c) (?!a) (?=b) (?<=a) \\1 \\d \\Q(\\E (?<n>a) (?1) (?#) (*F) | ^ $ \\b \\Ka \\ ) [ (';
const piece = fc.constantFrom(...pieces.split(' '));
const rule = fc.record({
  pattern: fc.array(piece, { minLength: 1, maxLength: 4 }).map((some) => some.join('')),
  flags: fc.constantFrom('', '', '', 'i', 'x', 'U'),
  negated: fc.boolean(),
});
const key = fc.array(fc.constantFrom('a', 'A', 'b', 'B', 'c', '1', '(')).map((letters) => letters.join(''));

describe('a pcre table of any rules', () => {
  it('answers by the first rule that answers alone', { skip: hasPerlExpressions() ? false : 'no PCRE2' }, async () => {
    using bench = new Workbench();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(rule, { maxLength: 12 }), fc.array(key, { maxLength: 8 }), async (rules, keys) => {
        count += 1;
        const lines = rules.map(
          ({ pattern, flags, negated }, i) => `${negated && i % 4 === 0 ? '!' : ''}/${pattern}/${flags} is ${i}`,
        );
        const all = `pcre:${bench.write(`all${count}`, ...lines, '')}`;
        const alone = lines.map((line, i) => `pcre:${bench.write(`one${count}.${i}`, line, '')}`);
        for (const text of keys) {
          let expected: string | undefined;
          for (const spec of alone) expected ??= await bench.value(spec, text);
          assert.equal(await bench.value(all, text), expected, `${text}\n${lines.join('\n')}`);
        }
      }),
      { numRuns: 150 },
    );
  });
});
