import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfiguration } from '#config';
import { writeIndex } from '#tables';
import { missingTables } from '../../../src/roles/missing-tables.ts';

const master = `smtp inet n - n - - smtpd
  -o smtpd_client_restrictions=check_client_access,cidr:DIR/clients
smtp unix - - n - - smtp
`;

/** What is said of a main.cf, with the directory's name taken out. */
function said(main: string, files: Readonly<Record<string, string>> = {}): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-missing-'));
  const fill = (text: string): string => text.replaceAll('DIR', directory);
  try {
    writeFileSync(join(directory, 'main.cf'), fill(`myhostname = mail.example.com\nalias_maps =\n${main}\n`));
    writeFileSync(join(directory, 'master.cf'), fill(master));
    writeFileSync(join(directory, 'clients'), '');
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    writeIndex('hash', join(directory, 'made'), new Map([['a', 'b']]), { mode: 0o644, owner: undefined });
    return missingTables(loadConfiguration(directory)).map((text) => text.replaceAll(`${directory}/`, ''));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const inIt = 'as it stands, each lookup in it fails';

describe('tables without their file', () => {
  it('are told with file, line, parameter and what to do', () => {
    assert.deepEqual(said('virtual_alias_maps = hash:DIR/virtual,\n  proxy:hash:DIR/more', { virtual: 'a b\n' }), [
      `main.cf, line 3: virtual_alias_maps: open database virtual.db: No such file or directory; run "postmap hash:virtual"; ${inIt}`,
      `main.cf, line 4: virtual_alias_maps: open database more.db: No such file or directory; make more, then run "postmap hash:more"; ${inIt}`,
    ]);
  });

  it('are told once, where they are set', () => {
    const lines = said('transport_maps = texthash:DIR/transport\nrelay_recipient_maps = texthash:DIR/transport');
    assert.equal(lines.length, 1);
  });

  it('are no files of patterns because a default refers to them', () => {
    assert.deepEqual(said('virtual_alias_maps = DIR/virtual'), []);
  });

  it('are told of where a type has no name behind it', () => {
    assert.deepEqual(said('transport_maps = hash:'), [
      `main.cf, line 3: transport_maps: open dictionary: expecting "type:name" form instead of "hash:"; write a name after "hash:"; ${inIt}`,
    ]);
  });

  it('are found in restrictions, pattern lists and combined tables', () => {
    assert.deepEqual(
      said(
        'smtpd_sender_restrictions = check_sender_access regexp:DIR/senders\nmydestination = $myhostname, DIR/domains\nheader_checks = unionmap:{pcre:DIR/one, static:x}\nlocal_header_rewrite_clients = permit_mynetworks, check_address_map cidr:DIR/own',
      ).map((text) => text.replace(/;.*/, '')),
      [
        'main.cf, line 5: header_checks: open one: No such file or directory',
        'main.cf, line 6: local_header_rewrite_clients: open own: No such file or directory',
        'main.cf, line 4: mydestination: open file domains: No such file or directory',
        'main.cf, line 3: smtpd_sender_restrictions: open senders: No such file or directory',
      ],
    );
  });

  it('are found in restriction classes', () => {
    assert.equal(
      said('smtpd_restriction_classes = mine\nmine = check_sender_access hash:DIR/mine')[0]?.split(';')[0],
      'main.cf, line 4: mine: open database mine.db: No such file or directory',
    );
  });

  it('are told when another program made the index', () => {
    const berkeley = Buffer.alloc(64);
    berkeley.writeUInt32LE(0x00061561, 12);
    assert.deepEqual(
      said('canonical_maps = hash:DIR/old', { 'old.db': berkeley.toString('latin1') }).map(
        (text) => text.split(';')[0],
      ),
      ['main.cf, line 3: canonical_maps: old.db is in Berkeley DB format'],
    );
  });

  it('are told when proxy_read_maps does not approve of them', () => {
    assert.deepEqual(said('proxy_read_maps =\nlocal_recipient_maps =\nvirtual_alias_maps = proxy:static:x'), [
      `main.cf, line 5: virtual_alias_maps: proxymap service is not configured for table "static:x"; list proxy:static:x in proxy_read_maps; ${inIt}`,
    ]);
  });

  it('are not what is there, needs no file, or is no table', () => {
    assert.deepEqual(
      said(
        'virtual_alias_maps = hash:DIR/made static:x inline:{a=b}\nmynetworks = 127.0.0.0/8 [::1]/128 fe80::/64\nlocal_recipient_maps = proxy:unix:passwd.byname\nheader_checks = regexp:{{/a/ DUNNO}}\nsmtpd_recipient_restrictions = check_policy_service unix:private/policy, reject',
      ),
      [],
    );
  });
});
