import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compilePerlExpression, hasPerlExpressions, MatchFailure } from '#native';
import { searchBounded } from '../../../src/native/bounded-search.ts';

const plain = {
  ignoreCase: true,
  multiline: false,
  dotAll: true,
  extended: false,
  anchored: false,
  dollarEndOnly: false,
  ungreedy: false,
};

describe('a search in parts', () => {
  it('looks at each place once, more of them at a time as long as that is quick', () => {
    const parts: (readonly [number, number])[] = [];
    const look = (first: number, last: number): boolean => parts.push([first, last]) < 0;
    assert.equal(
      searchBounded(5000, look, () => 0),
      false,
    );
    assert.deepEqual(parts, [
      [0, 511],
      [512, 2559],
      [2560, 5000],
    ]);
  });

  it('is given up when it takes too long', () => {
    let clock = 0;
    let parts = 0;
    const look = (): boolean => {
      parts += 1;
      clock += 700;
      return false;
    };
    assert.throws(() => searchBounded(100_000, look, () => clock), MatchFailure);
    assert.equal(parts, 3);
  });

  it('finds what a search in one go would find', { skip: !hasPerlExpressions() && 'no PCRE2 here' }, () => {
    const filler = 'x'.repeat(3000);
    const finds = (pattern: string, subject: string): readonly string[] | undefined => {
      const expression = compilePerlExpression(Buffer.from(pattern), plain);
      assert.ok(!('problem' in expression));
      const found = expression.captures(Buffer.from(`${subject}\0`))?.map(String);
      expression.free();
      return found;
    };
    assert.deepEqual(finds('a(b+)$', `${filler}abb`), ['abb', 'bb']);
    assert.deepEqual(finds('(?<=xa)b', `${filler}ab`), ['b']);
    assert.deepEqual(finds('^x', filler), ['x']);
    assert.equal(finds('^a', `${filler}a`), undefined);
    assert.deepEqual(finds('$', filler), ['']);
    assert.equal(finds(String.raw`\Ga`, `${filler}a`), undefined);
    assert.equal(finds('x+(*COMMIT)b', `${filler}ab`), undefined);
  });
});
