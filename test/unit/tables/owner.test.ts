import assert from 'node:assert/strict';
import { chownSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { TableOpener, type TableUse, writeIndex } from '#tables';
import { fileNamed } from '../../../src/tables/owned-file.ts';
import { Workbench } from './workbench.ts';

const ownUid = process.getuid?.() ?? 0;
/** Whose the files of a test are: somebody who isn't root. */
const uid = ownUid === 0 ? 38 : ownUid;
const giveAway = (path: string): void => {
  if (ownUid === 0) chownSync(path, uid, uid);
};
const alias: TableUse = { paranoid: true };
const indexTypes = ['hash', 'btree', 'lmdb', 'cdb'] as const;
const suffixes = { hash: '.db', btree: '.db', lmdb: '.lmdb', cdb: '.cdb' };

/** An index that is `uid`'s; the path of its source. */
function makeIndex(bench: Workbench, type: (typeof indexTypes)[number], entries: readonly [string, string][]): string {
  const path = join(bench.directory, `${type}-table`);
  writeIndex(type, path, new Map(entries), { mode: 0o644, owner: undefined });
  giveAway(path + suffixes[type]);
  return path;
}

describe('the owner of a table', () => {
  it('is that of the file', () => {
    using bench = new Workbench();
    const text = bench.write('text', 'a b\n');
    const rules = bench.write('rules', '/a/ b\n');
    const client = bench.write('client', `dbpath = ${bench.directory}/data`, 'query = SELECT 1\n');
    new DatabaseSync(join(bench.directory, 'data')).close();
    for (const path of [text, rules, client]) giveAway(path);
    for (const type of indexTypes)
      assert.equal(bench.open(`${type}:${makeIndex(bench, type, [['a', 'b']])}`, alias).owner, uid, type);
    for (const spec of [`texthash:${text}`, `regexp:${rules}`, `pcre:${rules}`, `cidr:${rules}`, `sqlite:${client}`])
      assert.equal(bench.open(spec, alias).owner, uid, spec);
    assert.equal(bench.open(`regexp:/etc/passwd`, alias).owner, 0);
  });

  it('is root for what stands in main.cf, and for what the system says', () => {
    using bench = new Workbench();
    for (const spec of [
      'inline:{a=b}',
      'static:b',
      'regexp:{{/a/ b}}',
      'unix:passwd.byname',
      'randmap:{a}',
      'internal:x',
    ])
      assert.equal(bench.open(spec, alias).owner, 0, spec);
  });

  it('is that of the tables within, as long as it is one', () => {
    using bench = new Workbench();
    const text = `texthash:${bench.write('text', 'a b\n')}`;
    giveAway(join(bench.directory, 'text'));
    const other = `texthash:${bench.write('other', 'a b\n')}`;
    for (const spec of [
      `debug:${text}`,
      `proxy:${text}`,
      `unionmap:{${text},${text}}`,
      `pipemap:{inline:{a=a},${text}}`,
    ])
      assert.equal(bench.open(spec, alias).owner, uid, spec);
    assert.equal(bench.open('unionmap:{inline:{a=b},static:x}').owner, 0);
    const observed = new TableOpener({
      settings: bench.settings,
      configDirectory: bench.directory,
      warn: () => undefined,
      isLate: true,
      observe: () => undefined,
    });
    assert.equal(observed.open(text, alias).owner, uid);
    if (ownUid !== 0) return;
    chownSync(join(bench.directory, 'other'), uid + 1, uid);
    assert.equal(bench.open(`unionmap:{${text},${other}}`, alias).owner, undefined);
  });

  it('stays with the answers when a link to somebody else comes into its place', () => {
    for (const type of indexTypes) {
      using bench = new Workbench();
      const path = makeIndex(bench, type, [['a', 'old']]);
      const table = bench.open(`${type}:${path}`, alias);
      rmSync(path + suffixes[type]);
      symlinkSync('/etc/passwd', path + suffixes[type]);
      assert.deepEqual(table.lookup('a'), { kind: 'found', value: 'old' });
      assert.equal(table.owner, uid);
    }
  });

  it('is not known of a database that is opened by its name where others may write', () => {
    using bench = new Workbench();
    const path = makeIndex(bench, 'hash', [['a', 'b']]);
    bench.write('hash-table.db-journal', '');
    const table = bench.open(`hash:${path}`, alias);
    // below a directory for everybody
    assert.deepEqual([table.lookup('a'), table.owner], [{ kind: 'found', value: 'b' }, undefined]);
    assert.ok(existsSync(`${path}.db-journal`));
    mkdirSync(join(bench.directory, 'link'));
    renameSync(`${path}.db`, join(bench.directory, 'link', 'real'));
    symlinkSync(join(bench.directory, 'link', 'real'), `${path}.db`);
    assert.equal(fileNamed(`${path}.db`).path, join(bench.directory, 'link', 'real'));
    assert.deepEqual(fileNamed('/etc/passwd'), { path: '/etc/passwd', owner: 0 });
  });
});
