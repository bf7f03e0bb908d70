import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ConfigError, loadConfiguration } from '#config';
import { listenAddresses } from '../../../src/master/listen-addresses.ts';

describe('where a service listens', () => {
  const directory = mkdtempSync(join(tmpdir(), 'listen-addresses-'));
  after(() => rmSync(directory, { recursive: true }));

  /** The addresses of one service, or why there are none. */
  async function addresses(service: string, interfaces: string): Promise<string> {
    writeFileSync(join(directory, 'main.cf'), `inet_protocols = all\ninet_interfaces = ${interfaces}\n`);
    writeFileSync(join(directory, 'master.cf'), `${service} inet n - n - - smtpd\n`);
    const configuration = loadConfiguration(directory);
    const [entry] = configuration.services;
    assert.ok(entry !== undefined);
    try {
      const found = await listenAddresses(entry, configuration.settingsFor(entry));
      return found.map(({ address, port }) => `${address} ${port}`).join();
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.problems.join().replaceAll(`${directory}/`, '');
    }
  }

  it('is an address of four numbers up to 255, in master.cf and in inet_interfaces', async () => {
    const expected = 'is not an address; an IPv4 address is four numbers from 0 to 255, as 192.0.2.1';
    const place = 'master.cf, line 1: service';
    assert.equal(await addresses('999.1.1.1:2640', 'all'), `${place} 999.1.1.1:2640/inet: "999.1.1.1" ${expected}`);
    assert.equal(
      await addresses('[127.0.0.257]:25', 'all'),
      `${place} [127.0.0.257]:25/inet: "127.0.0.257" ${expected}`,
    );
    assert.equal(
      await addresses('25', '127.0.0.1, 127.0.0'),
      `main.cf, line 2: inet_interfaces: "127.0.0" ${expected}`,
    );
    assert.equal(await addresses('25', '127.0.0.1, [127.0.0.2]'), '127.0.0.1 25,127.0.0.2 25');
    assert.equal(await addresses('[127.0.0.3]:26', 'all'), '127.0.0.3 26');
  });

  it('is not nowhere', async () => {
    const remedy = 'check inet_interfaces and inet_protocols, or comment out the service';
    assert.equal(
      await addresses('smtp', ''),
      `master.cf, line 1: service smtp/inet: no valid IP address found: smtp; ${remedy}`,
    );
  });

  it('is an IPv6 address that is one', async () => {
    const expected = 'is not an address; an IPv6 address is written as 2001:db8::1, without an interface';
    assert.equal(await addresses('25', '::1::2'), `main.cf, line 2: inet_interfaces: "::1::2" ${expected}`);
    assert.match(await addresses('[fe80::1%lo]:25', 'all'), /"fe80::1%lo" is not an address/);
  });
});
