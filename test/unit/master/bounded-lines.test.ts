import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BoundedLines } from '../../../src/master/bounded-lines.ts';

describe('lines of a process that is not trusted', () => {
  const cut = (...chunks: readonly string[]): readonly (readonly string[])[] => {
    const lines = new BoundedLines(4);
    return [...chunks.map((chunk) => lines.push(Buffer.from(chunk))), lines.end()];
  };

  it('come as they end, however they are split', () => {
    assert.deepEqual(cut('a\nb', 'c\n\nd'), [['a'], ['bc', ''], ['d']]);
    assert.deepEqual(cut('a\n'), [['a'], []]);
  });

  it('come in pieces when they are longer than the bound, which counts without the end', () => {
    assert.deepEqual(cut('abcd\n', 'abcde\nf'), [['abcd'], ['abcd', 'e'], ['f']]);
    assert.deepEqual(cut('abcdefghij'), [['abcd', 'efgh'], ['ij']]);
  });
});
