import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openSettings } from '#config';
import type { HostLookup } from '#dns';
import { ownAddresses } from '../../../../src/delivery/smtp/own-addresses.ts';

describe('the addresses of this host', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'own-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  it('are looked up again while a name server is silent', async () => {
    writeFileSync(join(directory, 'main.cf'), 'compatibility_level = 3.11\ninet_interfaces = mail.example.com\n');
    const { settings } = openSettings(directory);
    let asked = 0;
    const hostLookup: HostLookup = {
      name: async () => ({ kind: 'notFound', reason: '' }),
      addresses: async () => {
        asked += 1;
        return asked === 1 ? { kind: 'tryAgain', reason: '' } : { kind: 'ok', addresses: ['192.0.2.1'] };
      },
    };
    const isOurs = ownAddresses(settings, hostLookup);
    assert.equal(await isOurs('192.0.2.1'), false);
    assert.equal(await isOurs('192.0.2.1'), true);
    assert.equal(await isOurs('192.0.2.2'), false);
    assert.equal(asked, 2);
  });
});
