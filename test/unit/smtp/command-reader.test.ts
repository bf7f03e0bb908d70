import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommandReader } from '#smtp';

/** The pieces of content in which lines come out. */
function piecesOf(lines: string): readonly string[] {
  const reader = new CommandReader(2048);
  reader.beginData('normalize');
  reader.push(Buffer.from(lines));
  const pieces: string[] = [];
  for (let piece = reader.next(); piece !== undefined; piece = reader.next()) {
    pieces.push(piece.kind === 'content' ? piece.bytes.toString() : piece.kind);
  }
  return pieces;
}

describe('a command line', () => {
  const kindOf = (line: string): string | undefined => {
    const reader = new CommandReader(16);
    reader.push(Buffer.from(line));
    return reader.next()?.kind;
  };

  it('is too long when it is, with the CR, or without one counts as much as the limit', () => {
    assert.equal(kindOf(`${'x'.repeat(15)}\r\n`), 'line');
    assert.equal(kindOf(`${'x'.repeat(16)}\r\n`), 'longLine');
    assert.equal(kindOf(`${'x'.repeat(15)}\n`), 'line');
    assert.equal(kindOf(`${'x'.repeat(16)}\n`), 'longLine');
  });
});

describe('the command reader', () => {
  const many = 'line\r\n'.repeat(1000);

  // one piece a line, each found by looking through all lines behind it, was 35 s of work for 64 KB
  for (const [odd, mended] of [
    ['bare line feed\n', 'bare line feed\r\n'],
    ['two carriage returns\r\r\n', 'two carriage returns\r\r\n'],
    ['..dot\r\n', '.dot\r\n'],
  ] as const) {
    it(`gives the lines before ${JSON.stringify(odd)} in one piece`, () => {
      assert.deepEqual(piecesOf(`${many}${odd}end\r\n`), [many, mended, 'end\r\n']);
    });
  }
});
