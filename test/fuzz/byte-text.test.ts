import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { byteLengthOf, bytesOf, textOf } from '#message';

const piece = fc.oneof(
  fc.uint8Array({ maxLength: 4 }),
  fc.string({ unit: 'grapheme', maxLength: 3 }).map((text) => Buffer.from(text)),
  fc.constantFrom(
    ...['\xc3', '\xe2\x82', '\xf0\x9f\x93', '\xed\xa0\x80', '\xf4\x90'].map((text) => Buffer.from(text, 'latin1')),
  ),
);
const mail = fc.array(piece, { maxLength: 12 }).map((pieces) => Buffer.concat(pieces));

describe('bytes as text', () => {
  it('are the same bytes again, and well-formed just where they are UTF-8', () => {
    fc.assert(
      fc.property(mail, (bytes) => {
        const text = textOf(bytes);
        assert.deepEqual(bytesOf(text), bytes);
        assert.equal(byteLengthOf(text), bytes.length);
        assert.equal(text.isWellFormed(), isUtf8(bytes));
      }),
      { numRuns: 2000 },
    );
  });
});
