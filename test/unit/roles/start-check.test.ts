import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfiguration } from '#config';
import { unusableServices as allUnusable } from '#roles';
import { misspeltRestrictions, unusableServices } from '../../../src/roles/start-check.ts';

describe('services that cannot work', () => {
  it('are told of where a mailbox has no room for the largest message, or a command has too many rights', () => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-unusable-'));
    try {
      writeFileSync(join(directory, 'main.cf'), 'myhostname = mail.example.com\nmessage_size_limit = 0\n');
      writeFileSync(
        join(directory, 'master.cf'),
        'local unix - n n - - local\nvirtual unix - n n - - virtual -o virtual_mailbox_limit=0\n' +
          'filter unix - n n - - pipe user=nobody:root argv=/bin/cat\n' +
          'smtp unix - - n - - smtp -o smtp_sasl_auth_enable=yes\n',
      );
      assert.deepEqual(
        unusableServices(loadConfiguration(directory)).map((text) => text.replaceAll(`${directory}/`, '')),
        [
          'master.cf, line 1: service local/unix: mailbox_size_limit is limited but message_size_limit is unlimited; as it stands, all its mail is deferred',
          'master.cf, line 3: service filter/unix: user= command-line attribute specifies privileged group id 0; as it stands, all its mail is deferred',
          "master.cf, line 4: service smtp/unix: specify a password table via the `smtp_sasl_password_maps' configuration parameter; as it stands, all its mail is deferred",
        ],
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('a pipe service whose user is not there', () => {
  it('is told of once, where mail is sent to it: stock entries are for machines of all kinds', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-unusable-'));
    const problems = async (main: string): Promise<readonly string[]> => {
      writeFileSync(join(directory, 'main.cf'), `myhostname = mail.example.com\n${main}\n`);
      writeFileSync(join(directory, 'master.cf'), 'maildrop unix - n n - - pipe user=no-such-user argv=/bin/cat\n');
      const told = await allUnusable(loadConfiguration(directory));
      return told.filter((text) => text.includes('maildrop')).map((text) => text.replaceAll(`${directory}/`, ''));
    };
    try {
      assert.deepEqual(await problems(''), []);
      assert.deepEqual(await problems('virtual_transport = maildrop:'), [
        'master.cf, line 1: service maildrop/pipe: user=: there is no user "no-such-user"; as it stands, mail for it is deferred',
      ]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('restrictions that cannot work', () => {
  it('are found in lists and classes, with their place', () => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-misspelt-'));
    try {
      writeFileSync(
        join(directory, 'main.cf'),
        'smtpd_restriction_classes = strict\nstrict = rejct\nsmtpd_sender_restrictions = check_sender_access /x\nlocal_header_rewrite_clients = permit_mynetwork check_address_map static:x\n check_address_map\n',
      );
      writeFileSync(join(directory, 'master.cf'), 'smtp inet n - n - - smtpd\n');
      assert.deepEqual(
        misspeltRestrictions(loadConfiguration(directory)).map((text) => text.replaceAll(`${directory}/`, '')),
        [
          'main.cf, line 3: smtpd_sender_restrictions: restriction check_sender_access: bad argument "/x": need maptype:mapname; as it stands, clients are answered 451 4.3.5',
          'main.cf, line 2: strict: unknown restriction "rejct"; did you mean "reject"? as it stands, clients are answered 451 4.3.5',
          'main.cf, line 4: local_header_rewrite_clients: unknown request "permit_mynetwork"; did you mean "permit_mynetworks"? as it stands, it changes nothing',
          'main.cf, line 5: local_header_rewrite_clients: restriction check_address_map: bad argument "check_address_map": need maptype:mapname; as it stands, clients are answered 451 4.3.5',
        ],
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
