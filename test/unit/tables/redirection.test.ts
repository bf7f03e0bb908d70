import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tableFileProblems, writeIndex } from '#tables';
import { redirectedCache } from '../../../src/tables/redirection.ts';
import { Workbench } from './workbench.ts';

const redirects =
  'non_bdb_migration_level = enable-redirect\ndefault_database_type = cdb\ndefault_cache_db_type = lmdb\n';

describe('a table of a Berkeley DB type', () => {
  it('is looked for in the default type when main.cf redirects it, and that is told', async () => {
    using bench = new Workbench(redirects);
    const path = bench.write('t', '');
    writeIndex('cdb', path, new Map([['k', 'v']]), { mode: 0o644, owner: undefined });
    assert.equal(await bench.value(`hash:${path}`, 'k'), 'v');
    assert.deepEqual(bench.notes, ['redirecting hash:DIR/t to cdb:DIR/t']);
    assert.deepEqual(tableFileProblems(`hash:${path}`, bench.settings, 'postmap'), []);
    assert.equal(redirectedCache('proxy:btree:/x', bench.settings), 'proxy:lmdb:/x');
  });

  it('goes where main.cf maps it, without a word if so asked', () => {
    using bench = new Workbench(
      `${redirects}non_bdb_custom_mapping = hash=lmdb\nnon_bdb_migration_log_redirect = no\n`,
    );
    const [problem] = tableFileProblems('hash:/nonexistent', bench.settings, 'postmap');
    assert.equal(problem?.table, 'lmdb:/nonexistent');
    bench.open('hash:/nonexistent');
    assert.deepEqual(bench.notes, []);
  });

  it('stays what it is by default', () => {
    using bench = new Workbench('default_cache_db_type = lmdb\n');
    assert.equal(redirectedCache('btree:/x', bench.settings), 'btree:/x');
  });
});

describe('a debug table', () => {
  it('tells what the table in it is asked, and answers as it does', async () => {
    using bench = new Workbench();
    const inner = 'inline:{k=v}';
    assert.equal(await bench.value(`debug:${inner}`, 'k'), 'v');
    assert.equal(await bench.value(`debug:${inner}`, 'x'), undefined);
    assert.equal((await bench.ask('debug:fail:f', 'x')).kind, 'failed');
    assert.deepEqual(bench.notes, [
      `${inner} lookup: "k" = "v"`,
      `${inner} lookup: "x" = "not_found"`,
      'fail:f lookup: "x" = "error"',
    ]);
  });

  it('can list what the table in it can', () => {
    using bench = new Workbench();
    assert.deepEqual([...(bench.open('debug:inline:{k=v}').entries?.() ?? [])], [['k', 'v']]);
  });
});
