import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type HostFacts, openSettings } from '#config';

const v4 = (address: string, netmask: string, bits: number): HostFacts['interfaces'][number] => ({
  address,
  netmask,
  family: 'IPv4',
  cidr: `${address}/${bits}`,
});
const v6 = (address: string, bits: number): HostFacts['interfaces'][number] => ({
  address,
  netmask: '',
  family: 'IPv6',
  cidr: `${address}/${bits}`,
});

const host: HostFacts = {
  hostname: 'mail.example.com',
  interfaces: [
    v4('127.0.0.1', '255.0.0.0', 8),
    v6('::1', 128),
    v4('172.20.1.2', '255.255.240.0', 20),
    v6('2001:db8::5', 64),
  ],
  addressesOf: (name) => ({ localhost: ['127.0.0.1'], inside: ['172.20.1.2'] })[name] ?? [],
};

/** The default of mynetworks. */
function networks(...lines: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-networks-'));
  try {
    writeFileSync(join(directory, 'main.cf'), `compatibility_level = 3.6\n${lines.join('\n')}\n`);
    return openSettings(directory, { host }).settings.string('mynetworks');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('the networks that are trusted by default', () => {
  it('are those of the interfaces that mail is received on, by mynetworks_style', () => {
    const all = 'inet_interfaces = all';
    assert.equal(networks(all), '127.0.0.1/32 [::1]/128 172.20.1.2/32 [2001:db8::5]/128');
    assert.equal(networks(all, 'mynetworks_style = subnet'), '127.0.0.0/8 [::1]/128 172.20.0.0/20 [2001:db8::]/64');
    assert.equal(networks(all, 'mynetworks_style = class', 'inet_protocols = ipv4'), '127.0.0.0/8 172.20.0.0/16');
  });

  it('are of the addresses that are listed, and no others', () => {
    assert.equal(networks('inet_interfaces = 172.20.1.2', 'mynetworks_style = subnet'), '172.20.0.0/20');
    assert.equal(networks('inet_interfaces = localhost, inside'), '127.0.0.1/32 172.20.1.2/32');
    assert.equal(networks('inet_interfaces = loopback-only'), '127.0.0.1/32 [::1]/128');
    assert.equal(networks('inet_interfaces = name.only.dns.knows'), '');
  });
});
