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
