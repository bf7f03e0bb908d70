import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openSettings } from '#config';
import { refusedUser, TableOpener } from '#tables';

describe('a list of users who may do something', () => {
  let directory = '';
  const parameter = 'authorized_flush_users';
  const nobody = 65_534;
  const refused = (value: string, uid: number): Promise<string | undefined> => {
    writeFileSync(
      join(directory, 'main.cf'),
      `compatibility_level = 3.6\nmail_owner = daemon\n${parameter} = ${value}\n`,
    );
    const { settings } = openSettings(directory);
    const tables = new TableOpener({ settings, configDirectory: directory, warn: () => undefined });
    return refusedUser(parameter, uid, settings, tables);
  };
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'users-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  it('holds names', async () => {
    assert.equal(await refused('root, nobody', nobody), undefined);
    assert.equal(await refused('root, other', nobody), 'nobody(65534)');
    assert.equal(await refused('!nobody, static:all', nobody), 'nobody(65534)');
  });

  it('may be everybody', async () => {
    assert.equal(await refused('static:anyone', 3_999_999), undefined);
  });

  it('calls a user without name unknown', async () => {
    assert.equal(await refused('root', 3_999_999), 'unknown(3999999)');
  });

  it('binds neither root nor the owner of the mail system', async () => {
    assert.equal(await refused('other', 0), undefined);
    assert.equal(await refused('other', 1), undefined);
  });
});
