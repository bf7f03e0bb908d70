import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeaderEnd, type LineEndRule, MessageLines } from '../../../src/cli/sendmail/input.ts';

/** The text in chunks of one length. */
const cut = (text: string, length: number): readonly Buffer[] =>
  Array.from({ length: Math.ceil(text.length / length) }, (_, index) =>
    Buffer.from(text.slice(index * length, (index + 1) * length)),
  );

describe('the message that sendmail reads', () => {
  const read = (text: string, length: number, lineEnds: LineEndRule = 'always'): string => {
    const lines = new MessageLines({ dotIsText: false, lineEnds });
    const pieces = cut(text, length).map((chunk) => (lines.hasEnded ? '' : lines.push(chunk).toString()));
    return pieces.join('') + lines.finish().toString();
  };
  const long = 'x'.repeat(30_000);

  it('is the same however it comes, whatever is in a long line', () => {
    const texts: readonly (readonly [text: string, message: string])[] = [
      [`a\r\n${long}\r\r\nb`, `a\n${long}\nb\n`],
      [`From ${long}\r\nFrom x\na\n`, 'a\n'],
      [`>From ${long}`, ''],
      [`a\nFrom ${long}`, `a\nFrom ${long}\n`],
      [` ${long}\n b\n`, `\n ${long}\n b\n`],
      [`.${long}\n.\nb\n`, `.${long}\n`],
      [`a\n.${'\r'.repeat(30_000)}\nb\n`, 'a\n'],
      [`a\n${long}\r${long}\r`, `a\n${long}\r${long}\n`],
      [`${long}.\n`, `${long}.\n`],
    ];
    for (const [text, message] of texts)
      for (const length of [4099, 8193, 1_000_000]) assert.equal(read(text, length), message);
  });

  it('keeps CRs of a long line under a rule that keeps them', () => {
    for (const lineEnds of ['never', 'strict'] as const) {
      assert.equal(read(`a\n${long}\r\nb\n`, 4099, lineEnds), `a\n${long}\r\nb\n`);
    }
    assert.equal(read(`${long}\r\n${long}\r\n`, 4099, 'strict'), `${long}\n${long}\n`);
  });

  it('gives a long line before its end has come', () => {
    const lines = new MessageLines({ dotIsText: false, lineEnds: 'always' });
    let given = 0;
    for (let read = 8192; read < 1_000_000; read += 8192) {
      given += lines.push(Buffer.alloc(8192, 'x')).length;
      assert.ok(given >= read - 8192);
    }
  });

  it('has a header section that ends at the same place however it comes', () => {
    const text = `A: b\n c\nLong: ${long}\nD : e\n\nf\n`;
    for (const length of [1, 7, 4099, 1_000_000]) {
      const end = new HeaderEnd();
      const found = cut(text, length).map((chunk) => end.push(chunk));
      assert.equal(
        found.find((place) => place !== undefined),
        text.length - 3,
      );
    }
    assert.equal(new HeaderEnd().push(Buffer.from(' a: b\n')), 0);
    assert.equal(new HeaderEnd().push(Buffer.from('a: b\n')), undefined);
  });
});
