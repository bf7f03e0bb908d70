import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StrayCrReader } from '../../../src/cleanup/line-ends.ts';

function read(...pieces: readonly string[]): string {
  const reader = new StrayCrReader();
  const out = pieces.map((piece) => reader.read(Buffer.from(piece)).toString());
  return [...out, reader.end()?.toString() ?? ''].join('');
}

describe('a CR', () => {
  it('stays where it ends a line, also between two pieces', () => {
    assert.equal(read('a\r\nb\r', '\nc'), 'a\r\nb\r\nc');
  });

  it('becomes a blank anywhere else', () => {
    assert.equal(read('a\rb', 'c\r', 'd\r', '\r\n', '\r'), 'a bc d \r\n ');
  });

  it('costs no copy where there is nothing to do', () => {
    const content = Buffer.from('a\r\nb\r\n');
    assert.equal(new StrayCrReader().read(content), content);
  });
});
