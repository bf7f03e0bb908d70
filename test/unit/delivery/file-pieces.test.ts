import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { NextPiece, ReadResult } from '../../../src/delivery/deliverer-protocol.ts';
import { pieceBytes, readPiece } from '../../../src/delivery/file-pieces.ts';

describe('a file of a user', () => {
  let directory = '';
  let path = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'pieces-'));
    path = join(directory, 'forward');
  });
  after(() => rmSync(directory, { recursive: true }));

  const read = (next?: NextPiece, paths = [path], followsLinks = true): ReadResult =>
    readPiece({ kind: 'read', paths, followsLinks, ...(next && { next }) });

  it('is read in pieces of a bounded length', () => {
    const text = '\u00ffa\n'.repeat(100_000);
    writeFileSync(path, text, 'latin1');
    const pieces: string[] = [];
    let next: NextPiece | undefined;
    do {
      const piece = read(next);
      assert.ok(piece.kind === 'file');
      assert.ok(piece.bytes.length <= pieceBytes);
      pieces.push(piece.bytes);
      next = piece.more;
    } while (next !== undefined);
    assert.equal(pieces.length, Math.ceil(text.length / pieceBytes));
    assert.equal(pieces.join(''), text);
  });

  it('can not be read on when it has changed', () => {
    writeFileSync(path, 'a\n'.repeat(pieceBytes));
    const first = read();
    assert.ok(first.kind === 'file' && first.more !== undefined);
    appendFileSync(path, 'b\n');
    const second = read(first.more);
    assert.deepEqual(second, { kind: 'unreadable', path, reason: 'it changed while it was being read' });
  });

  it('is the first one of several that is there', () => {
    writeFileSync(path, 'a\n');
    const found = read(undefined, [join(directory, 'nosuch'), join(path, 'below'), path]);
    assert.ok(found.kind === 'file' && found.path === path && found.more === undefined);
    assert.deepEqual(read(undefined, [join(directory, 'nosuch')]), { kind: 'missing' });
  });

  it('is no link where links are not followed, and no pipe', () => {
    const link = join(directory, 'link');
    const pipe = join(directory, 'pipe');
    symlinkSync(path, link);
    execFileSync('mkfifo', [pipe]);
    for (const [name, follows] of [
      [link, false],
      [pipe, true],
    ] as const) {
      const found = read(undefined, [name], follows);
      assert.ok(found.kind === 'file' && !found.facts.isRegular && found.bytes === '');
    }
  });
});
