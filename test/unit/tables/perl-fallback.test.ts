import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PerlOptions } from '#native';
import { translatePerlExpression } from '../../../src/tables/perl-fallback.ts';

const standard: PerlOptions = {
  ignoreCase: true,
  multiline: false,
  dotAll: true,
  extended: false,
  anchored: false,
  dollarEndOnly: false,
  ungreedy: false,
};

/** What the groups of a pattern match; undefined: no match; a text: it is refused. */
function captures(pattern: string, subject: string, options: Partial<PerlOptions> = {}) {
  const expression = translatePerlExpression(Buffer.from(pattern), { ...standard, ...options });
  if ('problem' in expression) return expression.problem;
  return expression.captures(Buffer.from(`${subject}\0`))?.map(String);
}

describe('Perl expressions without PCRE2', () => {
  it('match bytes, and give what groups matched', () => {
    assert.deepEqual(captures(String.raw`^(\w+)@(?=b)(x)?(.*)$`, 'a@bé'), ['a@bé', 'a', '', 'bé']);
    assert.equal(captures('^.$', 'é'), undefined);
  });

  it('end before a last line end, unless told otherwise', () => {
    assert.deepEqual(captures('b$', 'b\n'), ['b']);
    assert.equal(captures('b$', 'b\n', { dollarEndOnly: true }), undefined);
  });

  it('are refused where JavaScript would read something else', () => {
    for (const pattern of ['a++', '(?>a)', String.raw`(a)\1`, '(?R)', '(*FAIL)', String.raw`a\Kb`, 'a{,2}']) {
      assert.equal(typeof captures(pattern, 'a'), 'string', pattern);
    }
    assert.equal(captures('a(', 'a'), 'missing closing parenthesis');
  });
});
