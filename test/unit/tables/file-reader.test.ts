import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { copySecretFiles, type TableFile, withCopies } from '../../../src/tables/file-reader.ts';
import { writeIndex } from '#tables';

describe('files of tables that only root may read', () => {
  let directory = '';
  const text = (name: string): TableFile => ({ kind: 'text', path: join(directory, name) });
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'secret-tables-'));
    chmodSync(directory, 0o755);
    for (const [name, mode] of [
      ['open', 0o644],
      ['secret', 0o600],
    ] as const) {
      writeFileSync(join(directory, name), `${name}\n`, { mode });
      writeIndex('hash', join(directory, name), new Map([['key', name]]), { mode, owner: undefined });
    }
    mkdirSync(join(directory, 'closed'), { mode: 0o700 });
    writeFileSync(join(directory, 'closed', 'inner'), 'inner\n', { mode: 0o644 });
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });

  const copies = () => {
    const names = ['open', 'secret', 'closed/inner', 'absent'];
    const indexes = names.map((name): TableFile => ({ kind: 'index', type: 'hash', path: join(directory, name) }));
    return copySecretFiles([...names.map(text), ...indexes]);
  };

  it("are copied, also where a folder is root's alone, and no others", () => {
    const { texts, indexes } = copies();
    assert.deepEqual([...texts.keys()], [join(directory, 'secret'), join(directory, 'closed/inner')]);
    assert.deepEqual([...indexes.keys()], [join(directory, 'secret.db')]);
  });

  it('are read from the copies where the process has no right to, and only there', () => {
    const failing = (code: string) => () => {
      throw Object.assign(new Error(code), { code });
    };
    const denied = withCopies(copies(), { text: failing('EACCES'), index: failing('EACCES') });
    assert.equal(denied.text(join(directory, 'secret')).bytes.toString(), 'secret\n');
    const index = denied.index('hash', join(directory, 'secret'));
    assert.equal(typeof index === 'string' ? index : index.get('key'), 'secret');
    assert.throws(() => denied.text(join(directory, 'open')), /EACCES/);
    const gone = withCopies(copies(), { text: failing('ENOENT'), index: failing('ENOENT') });
    assert.throws(() => gone.text(join(directory, 'secret')), /ENOENT/);
  });
});
