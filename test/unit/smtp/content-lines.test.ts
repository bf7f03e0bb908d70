import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommandReader } from '#smtp';

const limit = 16;

/** Content of DATA, and what it counts: a byte count as in the reply to BDAT. */
function readData(text: string): { readonly content: string; readonly counted: number } {
  const reader = new CommandReader(limit);
  reader.beginData('no');
  reader.push(Buffer.from(`${text}.\r\n`));
  let content = '';
  for (let piece = reader.next(); piece?.kind === 'content'; piece = reader.next()) content += piece.bytes.toString();
  return { content, counted: content.length + reader.takeCutBytes() };
}

/** The same in chunks. */
function readChunks(...chunks: readonly string[]): { readonly content: string; readonly counted: number } {
  const reader = new CommandReader(limit);
  let content = '';
  for (const [index, chunk] of chunks.entries()) {
    reader.beginChunk(chunk.length, 'no', index === 0 ? 'first' : 'later');
    reader.push(Buffer.from(chunk));
    for (let piece = reader.next(); piece?.kind === 'content'; piece = reader.next()) content += piece.bytes.toString();
  }
  content += reader.endChunks().toString();
  return { content, counted: content.length + reader.takeCutBytes() };
}

describe('lines longer than line_length_limit', () => {
  const long = 'x'.repeat(limit);

  it('count two bytes more for each record but the last', () => {
    for (const [text, counted] of [
      [`${long.slice(1)}\r\n`, 17],
      [`${long}\r\n`, 20],
      [`${long}\n`, 20],
      [`${long}${long}y\r\n`, 39],
    ] as const) {
      assert.equal(readData(text).counted, counted, text);
      assert.equal(readChunks(text).counted, counted, text);
      assert.equal(readData(text).content, `${text.trimEnd()}\r\n`);
    }
  });

  it('are the same in chunks that divide them', () => {
    assert.deepEqual(readChunks(long, long, 'y'), { content: `${long}${long}y\r\n`, counted: 39 });
    assert.deepEqual(readChunks(long.slice(1), '\r', '\n'), { content: `${long.slice(1)}\r\n`, counted: 17 });
  });

  it('keep a dot that begins a record and no line', () => {
    assert.equal(readData(`${long}.\r\n`).content, `${long}.\r\n`);
    assert.equal(readData(`..${long}\r\n`).content, `.${long}\r\n`);
  });
});

describe('the last chunk', () => {
  it('may lack a line end, and keeps a CR without one', () => {
    assert.equal(readChunks('ab').content, 'ab\r\n');
    assert.equal(readChunks('ab\r').content, 'ab\r\r\n');
    assert.equal(readChunks('ab\r\n', '').content, 'ab\r\n');
  });
});
