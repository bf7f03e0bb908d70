import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressesInPieces } from '#address';
import { LineCutter } from '../../../../src/delivery/local/line-cutter.ts';

const membersOf = (text: string): readonly string[] => [...addressesInPieces(text)].flat();

function linesOf(text: string, limit = 2048, pieceLength = text.length): readonly string[] {
  const cutter = new LineCutter(limit);
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += pieceLength)
    lines.push(...cutter.lines(Buffer.from(text.slice(at, at + pieceLength), 'latin1')));
  return [...lines, ...cutter.last()];
}

describe('members of aliases and .forward files', () => {
  it('stand with commas or blanks between them', () => {
    assert.deepEqual(membersOf('alice, bob carol\tdave'), ['alice', 'bob', 'carol', 'dave']);
  });

  it('are commands with what stands behind the bar', () => {
    assert.deepEqual(membersOf('"| /bin/cat > x"'), ['| /bin/cat > x']);
  });

  it('keep a backslash only where it is quoted', () => {
    assert.deepEqual(membersOf(String.raw`\alice, "\\bob"`), ['alice', String.raw`\bob`]);
  });

  it('come some at a time when there are very many, each whole', () => {
    const pieces = [...addressesInPieces('a@b, '.repeat(100_000))];
    assert.equal(pieces.flat().length, 100_000);
    assert.ok(pieces.flat().every((address) => address === 'a@b'));
    assert.ok(pieces.every(({ length }) => length <= 1000));
  });

  it('come some at a time without commas, too', () => {
    const pieces = [...addressesInPieces('a b '.repeat(50_000))];
    assert.equal(pieces.flat().length, 100_000);
    assert.ok(pieces.every(({ length }) => length <= 50_000));
  });

  it('are not parted at the commas of a route', () => {
    const route = `<${Array.from({ length: 1000 }, (_, index) => `@h${index}`).join()}:a@b>`;
    assert.equal(membersOf(`${route}, ${route}, c@d`).length, 3);
  });
});

describe('lines of .forward and include files', () => {
  it('are no comments and not empty', () => {
    assert.deepEqual(linesOf('# nobody\nalice\n\n#bob\n #carol'), ['alice', ' #carol']);
  });

  it('that are too long come in pieces, of which each is a line', () => {
    assert.deepEqual(linesOf('aaaabbbbcc\nd', 4), ['aaaa', 'bbbb', 'cc', 'd']);
    assert.deepEqual(linesOf('aaaa\nbbbb', 4), ['aaaa', 'bbbb']);
    assert.deepEqual(linesOf('#aaabbbb\n', 4), ['bbbb']);
    assert.deepEqual(linesOf('aaaa#bbbcc\n', 4), ['aaaa', 'cc']);
  });

  it('are the same however the file is cut', () => {
    const text = 'alice, bob\n#comment\n\n123456789012345678901234567890\ncarol';
    for (let length = 1; length < text.length; length += 1)
      assert.deepEqual(linesOf(text, 16, length), linesOf(text, 16));
  });

  it('keep the bytes of a character that was cut', () => {
    const [first = '', second = ''] = linesOf('abc\u00c3\u00a9d', 4);
    assert.deepEqual([first, second], ['abc\udcc3', '\udca9d']);
  });

  it('are held no longer than one of them may be', () => {
    const cutter = new LineCutter(100);
    let count = 0;
    for (let piece = 0; piece < 1000; piece += 1)
      for (const line of cutter.lines(Buffer.alloc(1050, 'x'))) {
        assert.equal(line.length, 100);
        count += 1;
      }
    assert.equal(count, 10_500);
  });
});
