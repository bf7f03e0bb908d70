import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ContentEncoder } from '../../src/delivery/smtp/content-encoder.ts';
import { ReplyReader, type ReplyEvent } from '../../src/delivery/smtp/reply.ts';

/** What the encoder must give, line by line. */
function expected(content: string, limit: number): string {
  const lines = content.split('\r\n');
  if (lines.at(-1) === '') lines.pop();
  return lines
    .map((line) => {
      const pieces: string[] = [];
      let rest = line;
      let room = limit;
      while (limit > 0 && rest.length > room) {
        pieces.push(rest.slice(0, room));
        rest = rest.slice(room);
        room = limit - 1;
      }
      const stuffed = [...pieces, rest].join('\r\n ');
      return `${stuffed.startsWith('.') ? '.' : ''}${stuffed}\r\n`;
    })
    .join('');
}

function encode(chunks: readonly Buffer[], limit: number): string {
  const out: Buffer[] = [];
  const encoder = new ContentEncoder({ lineLimit: limit, onBreak: () => {} });
  for (const chunk of chunks) encoder.encode(chunk, (piece) => out.push(piece));
  encoder.finish((piece) => out.push(piece));
  return Buffer.concat(out).toString('latin1');
}

/** Cuts a text at any places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((x, y) => x - y);
  const chunks: Buffer[] = [];
  let from = 0;
  for (const place of [...sorted, bytes.length]) {
    chunks.push(bytes.subarray(from, place));
    from = place;
  }
  return chunks;
}

describe('content on the wire', () => {
  const line = fc.stringMatching(/^[.a ]{0,40}$/);
  it('is stuffed and broken the same however it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        fc.integer({ min: 3, max: 20 }),
        fc.boolean(),
        (lines, places, limit, isEnded) => {
          const content = lines.map((text) => `${text}\r\n`).join('') + (isEnded ? '' : 'end');
          const bytes = Buffer.from(content, 'latin1');
          assert.equal(encode(cut(bytes, places), limit), expected(content, limit));
          assert.equal(encode(cut(bytes, places), 0), expected(content, 0));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('replies from strangers', () => {
  it('are read the same however they are cut, and never throw', () => {
    const text = fc.stringMatching(/^[245 \-a.\r\n]{0,60}$/);
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 5 }), fc.boolean(), (reply, places, isStrict) => {
        const read = (chunks: readonly Buffer[]): ReplyEvent[] => {
          const events: ReplyEvent[] = [];
          const reader = new ReplyReader({
            lineLimit: 100,
            filter: undefined,
            isStrict: () => isStrict,
            onGarbage: () => {},
            onLongLine: () => {},
            onLongReply: () => {},
          });
          for (const chunk of chunks) reader.feed(chunk, (event) => events.push(event));
          return events;
        };
        const bytes = Buffer.from(reply, 'latin1');
        assert.deepEqual(read(cut(bytes, places)), read([bytes]));
      }),
    );
  });
});
