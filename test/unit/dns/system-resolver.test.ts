import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { systemResolver } from '#dns';
import { parseResolvConf } from '../../../src/dns/resolv-conf.ts';
import { following } from '../../../src/dns/system-resolver.ts';

describe('resolv.conf', () => {
  const directory = mkdtempSync(join(tmpdir(), 'resolv-'));
  const path = join(directory, 'resolv.conf');
  after(() => rmSync(directory, { recursive: true }));

  it('is read again when it changes, looked at once a second, and asks this host while it is away', () => {
    let clock = 0;
    const { conf } = systemResolver({ path, now: () => clock });
    const servers = (): string =>
      conf()
        .servers.map(({ address }) => address)
        .join();
    assert.equal(servers(), '127.0.0.1');
    writeFileSync(path, 'nameserver 192.0.2.1\n');
    clock += 500;
    assert.equal(servers(), '127.0.0.1');
    clock += 600;
    assert.equal(servers(), '192.0.2.1');
    rmSync(path);
    writeFileSync(path, 'nameserver 192.0.2.99\nnameserver 2001:db8::1\n');
    clock += 1000;
    assert.equal(servers(), '192.0.2.99,2001:db8::1');
  });

  it('is followed by what is asked from then on', async () => {
    let conf = parseResolvConf('nameserver 192.0.2.1', '');
    let made = 0;
    const resolver = following(
      () => conf,
      ({ servers: [first] }) => {
        made += 1;
        return { lookup: () => Promise.resolve({ kind: 'noName', reason: first?.address ?? '' }) };
      },
    );
    const told = async (): Promise<string> => {
      const answer = await resolver.lookup('a.example', 'A');
      return answer.kind === 'ok' ? '' : answer.reason;
    };
    assert.deepEqual([await told(), await told(), made], ['192.0.2.1', '192.0.2.1', 1]);
    conf = parseResolvConf('nameserver 192.0.2.2', '');
    assert.deepEqual([await told(), made], ['192.0.2.2', 2]);
  });

  it('has every server wait a second at least, and thirty at most', () => {
    const waits = (timeout: number): number => parseResolvConf(`options timeout:${timeout}`, '').timeoutMs;
    assert.deepEqual([waits(0), waits(1), waits(99)], [1000, 1000, 30_000]);
  });

  it('searches the domain of the host where it says nothing else', () => {
    const search = (text: string): readonly string[] => parseResolvConf(text, 'mail.sub.example').search;
    assert.deepEqual(search(''), ['sub.example']);
    assert.deepEqual(search('domain a.example\nsearch b.example c.example.\n'), ['b.example', 'c.example']);
    assert.deepEqual(search('domain a.example b.example\n'), ['a.example']);
    assert.deepEqual(search('search .\n'), []);
  });
});
