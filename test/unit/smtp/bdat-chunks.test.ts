import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommandReader } from '../../../src/smtp/command-reader.ts';

describe('chunks of BDAT', () => {
  const sawBareLf = (...chunks: readonly string[]): boolean => {
    const reader = new CommandReader(512);
    return chunks.some((chunk, index) => {
      reader.beginChunk(chunk.length, 'normalize', index === 0 ? 'first' : 'later');
      reader.push(Buffer.from(chunk));
      while (reader.next()?.kind === 'content');
      return reader.sawBareLf;
    });
  };

  it('show bare line feeds, also where one begins a chunk', () => {
    assert.equal(sawBareLf('a\r\nb\r\n'), false);
    assert.equal(sawBareLf('a\nb\r\n'), true);
    assert.equal(sawBareLf('\r\n', '\n'), true);
    assert.equal(sawBareLf('a\r', '\nb\r\n'), false);
  });
});
