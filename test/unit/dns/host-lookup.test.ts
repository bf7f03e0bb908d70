import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createHostLookup, type DnsAnswer, type Resolver } from '#dns';

const zone = (answers: Readonly<Record<string, DnsAnswer>>): Resolver => ({
  lookup: (name, type) =>
    Promise.resolve(answers[`${name} ${type}`] ?? { kind: 'noName', reason: `no ${name} ${type}` }),
});

describe('host lookup', () => {
  it('looks into the hosts file first, and again when it changes', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hosts-'));
    const hostsPath = join(directory, 'hosts');
    let clock = 0;
    await writeFile(hostsPath, '127.0.0.1 localhost loop # here\n2001:db8:0::1 six.example\n');
    const lookup = createHostLookup(zone({}), { hostsPath, now: () => clock });
    assert.deepEqual(await lookup.addresses('LOOP'), { kind: 'ok', addresses: ['127.0.0.1'] });
    assert.deepEqual(await lookup.name('2001:db8::1'), { kind: 'ok', name: 'six.example' });
    await writeFile(hostsPath, '192.0.2.77 loop.example loop\n');
    clock += 5000;
    assert.deepEqual(await lookup.addresses('loop'), { kind: 'ok', addresses: ['192.0.2.77'] });
    await rm(directory, { recursive: true });
  });

  it('asks DNS where the file cannot be read', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hosts-'));
    const hostsPath = join(directory, 'hosts');
    await mkdir(hostsPath);
    let clock = 0;
    const lookup = createHostLookup(zone({}), { hostsPath, now: () => clock });
    assert.deepEqual(await lookup.addresses('loop'), { kind: 'notFound', reason: 'Name or service not known' });
    await rm(hostsPath, { recursive: true });
    await writeFile(hostsPath, '127.0.0.1 loop\n');
    clock += 5000;
    assert.deepEqual(await lookup.addresses('loop'), { kind: 'ok', addresses: ['127.0.0.1'] });
    await rm(directory, { recursive: true });
  });

  it('completes names with the search list, once for both families', async () => {
    const a = (address: string): DnsAnswer => ({
      kind: 'ok',
      secure: false,
      canonicalName: '',
      records: [{ type: address.includes(':') ? 'AAAA' : 'A', name: '', ttl: 1, address }],
    });
    const answers = zone({
      'hub.b.example A': a('192.0.2.1'),
      'six.org AAAA': a('2001:db8::6'),
      'six.org.a.example A': a('192.0.2.9'),
      'slow A': { kind: 'tryAgain', reason: '' },
      'slow.a.example A': { kind: 'tryAgain', reason: '' },
      'slow.b.example A': a('192.0.2.8'),
    });
    const searchList = () => ({ search: ['a.example', 'b.example'], ndots: 1 });
    const lookup = createHostLookup(answers, { hostsPath: '/nonexistent', searchList });
    assert.deepEqual(await lookup.addresses('hub'), { kind: 'ok', addresses: ['192.0.2.1'] });
    assert.deepEqual(await lookup.addresses('six.org'), { kind: 'ok', addresses: ['2001:db8::6'] });
    assert.equal((await lookup.addresses('slow')).kind, 'tryAgain');
    assert.equal((await lookup.addresses('none')).kind, 'notFound');
    const plain = createHostLookup(answers, { hostsPath: '/nonexistent' });
    assert.equal((await plain.addresses('hub')).kind, 'notFound');
  });

  it('asks DNS for what the file does not hold, and keeps try again apart', async () => {
    const lookup = createHostLookup(
      zone({
        '9.2.0.192.in-addr.arpa PTR': {
          kind: 'ok',
          secure: false,
          canonicalName: '',
          records: [{ type: 'PTR', name: '', ttl: 1, host: 'nine.example' }],
        },
        'slow.example A': { kind: 'tryAgain', reason: '' },
      }),
      { hostsPath: '/nonexistent' },
    );
    assert.deepEqual(await lookup.name('192.0.2.9'), { kind: 'ok', name: 'nine.example' });
    assert.deepEqual(await lookup.addresses('slow.example'), {
      kind: 'tryAgain',
      reason: 'Temporary failure in name resolution',
    });
    assert.deepEqual(await lookup.addresses('none.example'), {
      kind: 'notFound',
      reason: 'Name or service not known',
    });
  });

  it('makes reverse names of both families', async () => {
    const asked: string[] = [];
    const lookup = createHostLookup(
      {
        lookup: (name) => {
          asked.push(name);
          return Promise.resolve({ kind: 'noName', reason: '' });
        },
      },
      { hostsPath: '/nonexistent' },
    );
    await lookup.name('192.0.2.1');
    await lookup.name('2001:db8::567:89ab');
    assert.deepEqual(asked, [
      '1.2.0.192.in-addr.arpa',
      'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
    ]);
  });
});
