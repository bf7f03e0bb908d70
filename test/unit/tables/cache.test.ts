import assert from 'node:assert/strict';
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Cache, changeIndex, keepCacheClean, openCache, TableOpener } from '#tables';
import { openSettings } from '#config';

describe('a cache', () => {
  let directory = '';
  const warnings: string[] = [];
  const open = (name: string, type = 'btree'): Cache => {
    return openMap(`${type}:${join(directory, name)}`);
  };
  const openMap = (map: string): Cache =>
    openCache(
      {
        map,
        approval: { refusal: () => undefined },
        defaultType: 'hash',
        dataDirectory: directory,
        queueDirectory: '/usr/bin',
        mailOwner: 'postfix',
      },
      { warn: (text) => warnings.push(text), error: (text) => warnings.push(`error: ${text}`) },
    );
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'cache-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  it('is changed by postmap while a server has it open', () => {
    const cache = open('shared');
    cache.set('a@x', 'first');
    const changed = changeIndex(
      'btree',
      join(directory, 'shared'),
      { rights: { mode: 0o644, owner: undefined }, mayBeNew: false },
      ({ remove }) => remove('a@x'),
    );
    assert.deepEqual(changed, { result: true });
    assert.equal(cache.get('a@x'), undefined);
    cache.close();
  });

  it('is a table that postmap can read', async () => {
    const cache = open('plain');
    cache.set('a@x', 'first');
    cache.set('a@x', 'second');
    cache.set('b@x', 'other');
    cache.delete('b@x');
    writeFileSync(join(directory, 'main.cf'), 'compatibility_level = 3.6\n');
    const { settings } = openSettings(directory);
    const tables = new TableOpener({ settings, configDirectory: directory, warn: (text) => warnings.push(text) });
    const table = tables.open(`btree:${join(directory, 'plain')}`);
    assert.deepEqual([...(table.entries?.() ?? [])], [['a@x', 'second']]);
    tables.closeAll();
    cache.close();
  });

  it('may be read by two processes, each with what the other wrote', () => {
    const [one, other] = [open('shared'), open('shared')];
    one.set('k', 'v');
    assert.equal(other.get('k'), 'v');
    other.delete('k');
    assert.equal(one.get('k'), undefined);
    one.close();
    other.close();
  });

  it('sets a file of another program aside and begins empty', () => {
    const file = join(directory, 'foreign.db');
    writeFileSync(file, Buffer.concat([Buffer.alloc(12), Buffer.from([0x62, 0x31, 5, 0]), Buffer.alloc(500)]));
    const cache = open('foreign');
    cache.set('k', 'v');
    assert.equal(cache.get('k'), 'v');
    cache.close();
    assert.ok(existsSync(`${file}.old`));
  });

  it('begins empty when its file is damaged', () => {
    const cache = open('damaged');
    for (let i = 0; i < 500; i += 1) cache.set(`key ${i}`, 'value'.repeat(20));
    cache.close();
    const file = join(directory, 'damaged.db');
    writeFileSync(file, readFileSync(file).fill(0x55, 100));
    const again = open('damaged');
    assert.equal(again.get('key 1'), undefined);
    again.set('key 1', 'new');
    assert.equal(again.get('key 1'), 'new');
    again.close();
  });

  it('remembers nothing where its table cannot be written, and says so each time', async () => {
    warnings.length = 0;
    const cache = openMap('pcre:/x');
    cache.set('a', 'b');
    assert.equal(cache.get('a'), undefined);
    const unavailable = 'pcre:/x is unavailable. pcre:/x map requires O_RDONLY access mode';
    const tell = await new Promise<string>((resolve) => {
      keepCacheClean(cache, { intervalMs: 1, keeps: () => true, onCleaned: resolve, now: () => 1 }).stop();
      keepCacheClean(cache, { intervalMs: 1, keeps: () => true, onCleaned: resolve, now: () => 1 });
    });
    assert.equal(tell, 'cache pcre:/x partial cleanup: retained=0 dropped=0 entries');
    assert.deepEqual(warnings.slice(0, 5), [
      'error: pcre:/x map requires O_RDONLY access mode',
      unavailable,
      'pcre:/x: could not update entry for a',
      unavailable,
      "pcre:/x: cache lookup for 'a' failed due to error",
    ]);
    warnings.length = 0;
    for (const map of ['nosuch:x', 'hash:', 'hash:/nowhere/x']) openMap(map);
    assert.deepEqual(warnings, [
      'error: unsupported dictionary type: nosuch',
      'error: open dictionary: expecting "type:name" form instead of "hash:"',
      'error: open database /nowhere/x.db: No such file or directory',
    ]);
  });

  it('is made in data_directory where its own belongs to another', { skip: process.geteuid?.() !== 0 }, () => {
    chownSync(directory, 1, 1);
    warnings.length = 0;
    process.seteuid?.(1);
    try {
      const cache = openMap('kept');
      assert.equal(cache.name, `hash:${directory}/kept`);
      cache.close();
    } finally {
      process.seteuid?.(0);
      chownSync(directory, 0, 0);
    }
    assert.deepEqual(warnings, [
      'request to update table kept in non-postfix directory .',
      `redirecting the request to postfix-owned data_directory ${directory}`,
    ]);
  });

  it('loses what is not kept, and remembers when it was cleaned', async () => {
    const cache = open('cleaned');
    for (let i = 0; i < 450; i += 1) cache.set(`key ${i}`, i % 3 === 0 ? 'old' : 'new');
    const counts = await new Promise<string>((resolve) => {
      keepCacheClean(cache, {
        intervalMs: 3_600_000,
        keeps: (_, value) => value === 'new',
        onCleaned: resolve,
        now: () => 7_200_000,
      });
      // its timer does not keep the process alive
      setTimeout(() => undefined, 1000);
    });
    assert.match(counts, /^cache btree:\S+ full cleanup: retained=300 dropped=150 entries$/);
    assert.equal(cache.get('key 0'), undefined);
    assert.equal(cache.get('_LAST_CACHE_CLEANUP_COMPLETED_'), '7200');
    cache.close();
  });
});
