import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RecordSize } from '../../../src/cleanup/record-size.ts';

function sizeOf(chunks: readonly string[], limit = 2048): number {
  const size = new RecordSize(limit);
  for (const chunk of chunks) size.add(Buffer.from(chunk));
  return size.size;
}

describe('the size of content in records', () => {
  it('is that of the text while lines are short', () => {
    assert.equal(sizeOf(['a\r\n\r\n', `${'b'.repeat(127)}\r\n`]), 5 + 129);
  });

  it('counts a longer length, and the pieces of a line past line_length_limit', () => {
    assert.equal(sizeOf([`${'b'.repeat(128)}\r\n`]), 131);
    assert.equal(sizeOf([`${'b'.repeat(600)}\r\n`], 600), 605);
    assert.equal(sizeOf([`${'b'.repeat(800)}\r\n`], 600), 806);
  });

  it('is the same in any split', () => {
    const line = fc.oneof(
      fc.constant(''),
      fc.integer({ min: 100, max: 150 }).map((length) => 'x'.repeat(length)),
    );
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(200)), (lines, cuts) => {
        const text = lines.map((each) => `${each}\r\n`).join('');
        const chunks: string[] = [];
        let rest = text;
        for (const cut of cuts) {
          chunks.push(rest.slice(0, cut));
          rest = rest.slice(cut);
        }
        assert.equal(sizeOf([...chunks, rest]), sizeOf([text]));
        assert.equal(sizeOf([text]), text.length + lines.filter(({ length }) => length >= 128).length);
      }),
    );
  });
});
