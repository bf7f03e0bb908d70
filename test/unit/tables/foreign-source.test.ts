import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { writeFileSync } from 'node:fs';
import { openForeignSource } from '../../../src/tables/foreign-source.ts';
import { Workbench } from './workbench.ts';

/** The beginning of a file of Berkeley DB. */
function berkeleyFile(): Buffer {
  const head = Buffer.alloc(64);
  head.writeUInt32LE(0x00061561, 12);
  return head;
}

describe('an index that Postfix made', () => {
  it('is read from its source, the first of two equal keys', () => {
    using bench = new Workbench();
    const path = bench.write('access', 'Bad.Example REJECT', '  go away', 'bad.example OK', '');
    writeFileSync(`${path}.db`, berkeleyFile());
    const found = openForeignSource('hash', path, { foldKeys: true, isAlias: false });
    assert.deepEqual(found?.table.lookup('bad.example'), { kind: 'found', value: 'REJECT  go away' });
    assert.deepEqual(found?.table.lookup('other.example'), { kind: 'missing' });
    assert.match(found?.note ?? '', /access\.db is in Berkeley DB format: .*access was read instead/);
  });

  it('is read as postalias reads it where it is one for aliases', () => {
    using bench = new Workbench();
    const path = bench.write('aliases', 'Root: ann, "|/bin/x y"', '');
    writeFileSync(`${path}.db`, berkeleyFile());
    const found = openForeignSource('hash', path, { foldKeys: true, isAlias: true });
    assert.deepEqual(found?.table.lookup('root'), { kind: 'found', value: 'ann, "|/bin/x y"' });
  });

  it('is left alone where it is ours, absent, or without a source', () => {
    using bench = new Workbench();
    const path = bench.write('access', 'a b', '');
    assert.equal(openForeignSource('hash', path, { foldKeys: true, isAlias: false }), undefined);
    writeFileSync(`${path}.db`, 'SQLite format 3');
    assert.equal(openForeignSource('hash', path, { foldKeys: true, isAlias: false }), undefined);
    writeFileSync(`${path}2.db`, berkeleyFile());
    assert.equal(openForeignSource('hash', `${path}2`, { foldKeys: true, isAlias: false }), undefined);
  });
});
