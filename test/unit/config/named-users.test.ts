import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ConfigError, openCommandSettings, openSettings } from '#config';
import { userProblems } from '../../../src/config/named-users.ts';

describe('users that main.cf names', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-users-'));
  after(() => rmSync(directory, { recursive: true }));

  function problems(mainCf: string, isRoot = true): readonly string[] {
    writeFileSync(join(directory, 'main.cf'), mainCf);
    return userProblems(openSettings(directory).settings, isRoot).map((text) => text.replace(`${directory}/`, ''));
  }

  it('must be there, and not be root', () => {
    assert.deepEqual(problems('mail_owner = nosuchuser\ndefault_privs = root\n'), [
      'main.cf, line 2: bad value for parameter default_privs: "root": this user is root; name one without privileges',
      'main.cf, line 1: bad value for parameter mail_owner: "nosuchuser": no such user; create it (useradd --system nosuchuser) or name another',
    ]);
    assert.deepEqual(problems('mail_owner = daemon\ndefault_privs = bin\n'), []);
    assert.match(problems('default_privs = bin:bin\n')[0] ?? '', /"bin:bin": no such user/);
  });

  it('are not asked for where none is named, by an ordinary user, and as a group', () => {
    assert.deepEqual(problems('setgid_group = nosuchgroup\n'), []);
    assert.deepEqual(problems('mail_owner = nosuchuser\n', false), []);
  });

  it('stop the commands of root', { skip: process.getuid?.() !== 0 && 'only root is asked for them' }, () => {
    writeFileSync(join(directory, 'main.cf'), 'mail_owner = nosuchuser\n');
    assert.throws(() => openCommandSettings(directory), ConfigError);
  });
});
