import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compilePerlExpression, compilePosixExpression } from '#native';
import { literalPrefix } from '../../src/tables/literal-prefix.ts';

const pattern = fc
  .array(
    fc.constantFrom('a', 'B', ':', ' ', '.', '*', '+', '?', '|', '(', ')', '[', ']', '{2}', '\\', '-', '^', '$', 'é'),
  )
  .map((pieces) => `^${pieces.join('')}`);
const key = fc.array(fc.constantFrom('a', 'A', 'b', 'B', ':', ' ', '|', '(', 'é')).map((pieces) => pieces.join(''));

describe('expressions of any shape', () => {
  it('match no key that the start they promise rules out', () => {
    fc.assert(
      fc.property(pattern, key, fc.boolean(), (text, subject, ignoreCase) => {
        const starts = literalPrefix(text, ignoreCase);
        if (starts === undefined || starts(subject)) return;
        const bytes = Buffer.from(`${subject}\0`);
        const posix = compilePosixExpression(Buffer.from(`${text}\0`), { extended: true, ignoreCase, newlines: false });
        if (typeof posix !== 'string') {
          assert.equal(posix.matches(bytes), false);
          posix.free();
        }
        const perl = compilePerlExpression(Buffer.from(text), {
          ignoreCase,
          multiline: false,
          dotAll: true,
          extended: false,
          anchored: false,
          dollarEndOnly: false,
          ungreedy: false,
        });
        if (!('problem' in perl)) {
          assert.equal(perl.matches(bytes), false);
          perl.free();
        }
      }),
      { numRuns: 3000 },
    );
  });
});
