import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadConfiguration } from '#config';
import { nonBdb } from '../../../src/cli/non-bdb.ts';

const smtp = 'smtp inet n - n - - smtpd\n';

describe('postfix non-bdb', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-non-bdb-'));
  after(() => rmSync(directory, { recursive: true }));

  /** What was printed or is wrong, and the files after it. */
  const ask = (word: string, main: string, master = smtp): readonly [string, string, string] => {
    writeFileSync(join(directory, 'main.cf'), main);
    writeFileSync(join(directory, 'master.cf'), master);
    const said: string[] = [];
    const say = (text: string): void => void said.push(text);
    const problem = nonBdb([word], loadConfiguration(directory, { mainOnly: true }), { print: say, warn: say });
    const file = (name: string): string => readFileSync(join(directory, name), 'utf8');
    return [[...said, problem ?? ''].join(''), file('main.cf'), file('master.cf')];
  };

  it('tells the level', () => {
    assert.equal(ask('status', '')[0], 'disable');
    assert.equal(ask('status', 'non_bdb_migration_level = enable-redirect\n')[0], 'enable-redirect');
  });

  it('redirects only where there is another type to go to', () => {
    const types = 'default_database_type = cdb\ndefault_cache_db_type = lmdb\n';
    const reindexer = 'nbdb_reindex unix - n n - 0 nbdb_reindexd\n';
    assert.deepEqual(ask('enable-redirect', types, smtp + reindexer), [
      '',
      `${types}non_bdb_migration_level = enable-redirect\n`,
      smtp,
    ]);
    const hash = 'default_database_type = hash\ndefault_cache_db_type = lmdb\n';
    assert.deepEqual(ask('enable-redirect', hash), [
      'default_database_type = hash: set it to lmdb or cdb first',
      hash,
      smtp,
    ]);
  });

  it('takes the level back', () => {
    assert.deepEqual(ask('disable', 'a = b\nnon_bdb_migration_level = enable-redirect\n'), ['', 'a = b\n', smtp]);
  });

  it('says what it can not do', () => {
    assert.match(ask('enable-reindex', '')[0], /not in this version/);
    assert.match(ask('bogus', '')[0], /^usage: /);
  });
});
