import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ReplyLines } from '#smtp';

function heard(limit: number, pieces: readonly Buffer[]): string[] {
  const lines = new ReplyLines(limit);
  const out: string[] = [];
  for (const piece of pieces) lines.feed(piece, (line, isCut) => out.push(isCut ? `${line}...` : line));
  return out;
}

describe('lines of replies', () => {
  it('lose their ends and their control characters', () => {
    assert.deepEqual(heard(100, [Buffer.from('220 a\u001b[1m\r\n250 b\n')]), ['220 a?[1m', '250 b']);
  });

  it('are cut at the limit, and given when their end comes', () => {
    assert.deepEqual(heard(10, [Buffer.from(`220 ${'x'.repeat(50)}`)]), []);
    assert.deepEqual(heard(10, [Buffer.from(`220 ${'x'.repeat(50)}`), Buffer.from('yy\r\n250 b\r\n')]), [
      '220 xxxxxx...',
      '250 b',
    ]);
  });

  it('are the same in any split', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '\r', '\n', '2', ' '), maxLength: 60 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(60)), (input, cuts) => {
        const bytes = Buffer.from(input);
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length];
        const pieces = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
        assert.deepEqual(heard(8, pieces), heard(8, [bytes]));
      }),
    );
  });
});
