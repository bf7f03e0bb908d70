import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  formatCacheEntry,
  isWorthKeeping,
  newClient,
  parseCacheEntry,
  testsDue,
  type Test,
} from '../../../src/postscreen/cache-entry.ts';
import { parseSite } from '../../../src/postscreen/dnsbl-sites.ts';
import { looseAddress } from '../../../src/postscreen/loose-address.ts';

describe('entries of postscreen_cache_map', () => {
  const enabled = new Set<Test>(['pregreet', 'pipelining']);

  it('tell tests that are off from those that were never passed', () => {
    assert.equal(formatCacheEntry({ ...newClient, pregreet: 500 }, enabled), '500;1;0;1;1');
    assert.deepEqual(parseCacheEntry('500;1;0;1;1'), {
      ...newClient,
      pregreet: 500,
      dnsbl: 1,
      nonSmtpCommand: 1,
      bareNewline: 1,
    });
  });

  it('of an older version lack tests, which are due', () => {
    assert.deepEqual([...testsDue(parseCacheEntry('500;500'), enabled, 400)], ['pipelining']);
  });

  it('are due when their time has come, and only if the test is on', () => {
    assert.deepEqual([...testsDue(parseCacheEntry('500;0;501;0;0'), enabled, 500)], ['pregreet']);
  });

  it('are kept for a while after that', () => {
    const at = (nowSeconds: number): boolean =>
      isWorthKeeping('500;1;600;1;1', enabled, { nowSeconds, retentionSeconds: 100 });
    assert.equal(at(599), true);
    assert.equal(at(600), false);
    assert.equal(
      isWorthKeeping('500;1;0;1;1', enabled, { nowSeconds: 400, retentionSeconds: 100 }),
      false,
      'never passed',
    );
  });
});

describe('elements of postscreen_dnsbl_sites', () => {
  it('have a filter and a weight, or neither', () => {
    assert.deepEqual(parseSite('list.example'), { domain: 'list.example', filter: undefined, weight: 1 });
    assert.equal(parseSite('list.example=127.0.0.[2;4..6]*-3').weight, -3);
    assert.equal(parseSite('list.example*2').domain, 'list.example');
  });

  it('are refused when they are wrong', () => {
    assert.throws(() => parseSite('list.example*x'), /bad DNSBL weight factor "x" in "list\.example\*x"/);
    assert.throws(() => parseSite('=127.0.0.1'), /bad DNSBL domain name "" in/);
    assert.throws(() => parseSite('list.example=127.0.0'), /bad DNSBL filter syntax: /);
  });
});

describe('addresses as the engine logs them', () => {
  const cases: readonly (readonly [argument: string, address: string | undefined])[] = [
    ['FROM:<a@b>', 'a@b'],
    ['from: a@b SIZE=1', 'a@b'],
    ['FROM :<a@b> SIZE=1', 'a@b'],
    ['FROM:<>', ''],
    ['FROM:', ''],
    ['FROM:<@x,@y:a@b>', 'a@b'],
    ['FROM:<A "b" c@b.c>', 'A b c@b.c'],
    ['FROM:<"x y"@b>', 'x y@b'],
    ['FROM:<a@b', 'a@b'],
    ['FROM:<a@b@c>', 'a@b@c'],
    ['FROM:Joe <a@b>', 'Joe'],
    ['TO:<a@b>', undefined],
    ['FROM', undefined],
    ['', undefined],
    [`FROM:<${'@'.repeat(2000)}>`, '@'.repeat(2000)],
    [`FROM:<${'@x'.repeat(1000)}:a@b>`, 'a@b'],
  ];
  for (const [argument, address] of cases)
    it(`take ${argument === '' ? 'nothing' : argument.slice(0, 40)} for ${address?.slice(0, 40) ?? 'an error'}`, () => {
      assert.equal(looseAddress(argument, 'FROM'), address);
    });
});
