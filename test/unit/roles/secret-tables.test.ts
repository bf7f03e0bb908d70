import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfiguration } from '#config';
import { copySecretTables, secretTablePaths } from '../../../src/roles/secret-tables.ts';

describe('tables that only root may read', () => {
  it('are found wherever they are named', () => {
    const directory = mkdtempSync(join(tmpdir(), 'secret-tables-'));
    chmodSync(directory, 0o755);
    const file = (name: string): string => join(directory, name);
    for (const name of ['passwords', 'access', 'override', 'networks', 'inner'])
      writeFileSync(file(name), 'a b\n', { mode: 0o600 });
    writeFileSync(file('public'), 'a b\n', { mode: 0o644 });
    writeFileSync(
      file('main.cf'),
      `smtp_sasl_password_maps = texthash:${file('passwords')}
smtpd_recipient_restrictions = check_client_access cidr:${file('access')}, check_sender_access texthash:${file('public')}, reject
mynetworks = ${file('networks')}
virtual_alias_maps = proxy:unionmap:{texthash:${file('inner')}, inline:{a=b}}
`,
    );
    writeFileSync(file('master.cf'), `smtp inet n - n - - smtpd -o header_checks=regexp:${file('override')}\n`);
    const configuration = loadConfiguration(directory);
    const expected = ['passwords', 'access', 'override', 'networks', 'inner'].map(file).toSorted();
    assert.deepEqual([...secretTablePaths(configuration)].toSorted(), expected);
    assert.deepEqual([...copySecretTables(configuration).texts.keys()].toSorted(), expected);
    rmSync(directory, { recursive: true });
  });
});
