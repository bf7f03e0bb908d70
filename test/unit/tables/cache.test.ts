import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Cache, keepCacheClean, openCache, TableOpener } from '#tables';
import { openSettings } from '#config';

describe('a cache', () => {
  const anything = { refusal: () => undefined };
  let directory = '';
  const warnings: string[] = [];
  const open = (name: string, type = 'btree'): Cache => {
    const cache = openCache(`${type}:${join(directory, name)}`, anything, (text) => warnings.push(text));
    if (typeof cache === 'string') throw new Error(cache);
    return cache;
  };
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'cache-'));
  });
  after(() => rmSync(directory, { recursive: true }));

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

  it('cannot be a list of patterns, nor have no name', () => {
    assert.equal(typeof openCache('pcre:/x', anything, () => undefined), 'string');
    assert.equal(typeof openCache('/x', anything, () => undefined), 'string');
  });

  it('loses what is not kept, and remembers when it was cleaned', async () => {
    const cache = open('cleaned');
    for (let i = 0; i < 450; i += 1) cache.set(`key ${i}`, i % 3 === 0 ? 'old' : 'new');
    const counts = await new Promise<unknown>((resolve) => {
      keepCacheClean(cache, {
        intervalMs: 3_600_000,
        keeps: (_, value) => value === 'new',
        onCleaned: resolve,
        now: () => 7_200_000,
      });
      // its timer does not keep the process alive
      setTimeout(() => undefined, 1000);
    });
    assert.deepEqual(counts, { retained: 300, dropped: 150 });
    assert.equal(cache.get('key 0'), undefined);
    assert.equal(cache.get('_LAST_CACHE_CLEANUP_COMPLETED_'), '7200');
    cache.close();
  });
});
