import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compilePosixExpression, MatchFailure, type NativeExpression } from '#native';

describe('an expression of the C library', () => {
  function compile(pattern: string, newlines = false): NativeExpression {
    const expression = compilePosixExpression(Buffer.from(`${pattern}\0`), {
      extended: true,
      ignoreCase: true,
      newlines,
    });
    assert.ok(typeof expression !== 'string', pattern);
    return expression;
  }
  const captured = (expression: NativeExpression, subject: string): readonly string[] | undefined =>
    expression.captures(Buffer.from(`${subject}\0`))?.map(String);

  it('finds in a long subject what it finds in one of few bytes', () => {
    // nothing of what stands before can match
    const patterns = ['a(b+)$', 'ab|abc|xabc', '\\bab', '(a|ab)(c|bcd)*', 'x$', 'c.*a', '([abcx])\\1', 'b+ ?x'];
    const expressions = patterns.map((pattern) => compile(pattern));
    const texts = fc.string({ unit: fc.constantFrom('a', 'B', 'c', 'x', ' ', '\n'), maxLength: 12 });
    fc.assert(
      fc.property(fc.constantFrom(...expressions), texts, (expression, text) => {
        const found = captured(expression, `.${text}`);
        const long = `${'.'.repeat(700)}${text}`;
        assert.deepEqual(captured(expression, long), found);
        assert.equal(expression.matches(Buffer.from(`${long}\0`)), found !== undefined);
      }),
    );
    for (const expression of expressions) expression.free();
  });

  it('knows where a long subject and its lines begin and end', () => {
    const filler = `${'x'.repeat(3000)}\n${'y'.repeat(3000)}`;
    for (const [pattern, newlines, expected] of [
      ['^x+', false, ['x'.repeat(3000)]],
      ['^(y)', false, undefined],
      ['^(y)', true, ['y', 'y']],
      ['(x)$', false, undefined],
      ['(x)$', true, ['x', 'x']],
      ['y$', false, ['y']],
      ['.y', false, ['\ny']],
      ['z', false, undefined],
    ] as const) {
      const expression = compile(pattern, newlines);
      assert.deepEqual(captured(expression, filler), expected, pattern);
      assert.equal(expression.matches(Buffer.from(`${filler}\0`)), expected !== undefined, pattern);
      expression.free();
    }
  });

  it('is given up where a long subject would take it minutes', () => {
    const expression = compile('(.*free.*){3}x');
    const subject = Buffer.from(`${'to all of you. '.repeat(6000)}\0`);
    assert.throws(() => expression.matches(subject), MatchFailure);
    expression.free();
  });
});
