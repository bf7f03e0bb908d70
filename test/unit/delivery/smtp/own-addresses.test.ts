import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openSettings } from '#config';
import type { HostLookup } from '#dns';
import { ownAddresses, sourceAddresses } from '../../../../src/delivery/smtp/own-addresses.ts';

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

  it('are what mail leaves from where there is only one of a family', async () => {
    const hostLookup: HostLookup = {
      name: async () => ({ kind: 'notFound', reason: '' }),
      addresses: async (name) => ({
        kind: 'ok',
        addresses: name.includes('example') ? ['192.0.2.1', '2001:db8::1'] : [name],
      }),
    };
    for (const [interfaces, ipv4, ipv6] of [
      ['mail.example.com', '192.0.2.1', '2001:db8::1'],
      ['[192.0.2.7]', '192.0.2.7', undefined],
      ['mail.example.com, 192.0.2.2', undefined, '2001:db8::1'],
      ['mail.example.com, 127.0.0.1, 192.0.2.1', undefined, '2001:db8::1'],
      ['127.0.0.2, [::1]', undefined, undefined],
      ['loopback-only', undefined, undefined],
    ] as const) {
      writeFileSync(join(directory, 'main.cf'), `compatibility_level = 3.11\ninet_interfaces = ${interfaces}\n`);
      const { settings } = openSettings(directory);
      const sourceFor = sourceAddresses(settings, hostLookup);
      assert.equal(await sourceFor('ipv4'), ipv4, interfaces);
      assert.equal(await sourceFor('ipv6'), ipv6, interfaces);
    }
  });
});
