import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type BareNewlineMode, CommandReader, DotStuffer, LineEndNormalizer, parsePath, splitCommand } from '#smtp';

/** Bytes in which line ends and dots are frequent. */
const wireText = fc
  .array(fc.constantFrom('\r\n', '\n', '\r', '.', '..', 'a', ' ', 'line', 'From '), { maxLength: 40 })
  .map((parts) => parts.join(''));

function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  const out: Buffer[] = [];
  let from = 0;
  for (const place of [...places, bytes.length]) {
    out.push(bytes.subarray(from, place));
    from = place;
  }
  return out;
}

/** Content and whether its end was found. */
function readData(chunks: readonly Buffer[], mode: BareNewlineMode): { content: string; hasEnded: boolean } {
  const reader = new CommandReader(16);
  reader.beginData(mode);
  let content = '';
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let piece = reader.next(); piece !== undefined; piece = reader.next()) {
      if (piece.kind === 'endOfContent') return { content, hasEnded: true };
      if (piece.kind === 'content') content += piece.bytes.toString('latin1');
    }
  }
  return { content, hasEnded: false };
}

describe('the command reader', () => {
  const modes = fc.constantFrom<BareNewlineMode>('no', 'normalize', 'note', 'reject');
  const cuts = fc.array(fc.nat(200), { maxLength: 12 });

  it('finds the same content in any split', () => {
    fc.assert(
      fc.property(wireText, cuts, modes, (text, places, mode) => {
        const bytes = Buffer.from(`${text}\r\n.\r\n`);
        assert.deepEqual(readData(pieces(bytes, places), mode), readData([bytes], mode));
      }),
    );
  });

  it('ends content nowhere but after CRLF dot CRLF unless told otherwise', () => {
    fc.assert(
      fc.property(wireText, (text) => {
        const { hasEnded } = readData([Buffer.from(`a${text}`)], 'normalize');
        assert.equal(hasEnded, /\r\n\.\r\n/.test(`a${text}`));
      }),
    );
  });

  it('finds the same content in chunks of any size', () => {
    const read = (chunks: readonly Buffer[], mode: BareNewlineMode): string => {
      const reader = new CommandReader(16);
      let content = '';
      for (const [index, chunk] of chunks.entries()) {
        reader.beginChunk(chunk.length, mode, index === 0 ? 'first' : 'later');
        reader.push(chunk);
        for (let piece = reader.next(); piece?.kind === 'content'; piece = reader.next())
          content += piece.bytes.toString('latin1');
      }
      return `${content}${reader.endChunks().toString('latin1')} ${reader.takeCutBytes()}`;
    };
    fc.assert(
      fc.property(wireText, cuts, modes, (text, places, mode) => {
        const bytes = Buffer.from(text);
        assert.equal(read(pieces(bytes, places), mode), read([bytes], mode));
      }),
    );
  });

  it('gives back what the dot-stuffer was given', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('.', '..', 'a', '.a', '', 'long line of text')), cuts, (lines, places) => {
        const content = lines.map((line) => `${line}\r\n`).join('');
        const stuffer = new DotStuffer();
        const wire = pieces(Buffer.from(content), places).flatMap((chunk) => [...stuffer.encode(chunk)]);
        const found = readData([Buffer.concat([...wire, stuffer.end()])], 'normalize');
        assert.deepEqual(found, { content, hasEnded: true });
      }),
    );
  });

  it('gives chunks CRLF line ends in any split', () => {
    fc.assert(
      fc.property(wireText, cuts, (text, places) => {
        const lines = new LineEndNormalizer();
        const found = pieces(Buffer.from(text), places).map((chunk) => lines.push(chunk).toString('latin1'));
        const whole = found.join('') + lines.end().toString('latin1');
        const clean = text.replaceAll(/\r*\n/g, '\r\n').replace(/\r+$/, '');
        assert.equal(
          whole,
          clean === '' || clean.endsWith('\r\n') ? (text.endsWith('\r') ? `${clean}\r\n` : clean) : `${clean}\r\n`,
        );
      }),
    );
  });

  it('takes any command line without a throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        const words = splitCommand(`MAIL FROM:${text}`);
        assert.ok(['ok', 'syntax', 'badAddress'].includes(parsePath(words, 'FROM', { strict: false }).kind));
      }),
    );
  });
});
