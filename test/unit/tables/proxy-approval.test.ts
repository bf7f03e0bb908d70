import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openSettings } from '#config';
import { openCache, readCacheSettings, TableOpener } from '#tables';

/** Opens tables with main.cf lines of one's own. */
async function withTables(
  lines: readonly string[],
  use: (opener: TableOpener, warnings: readonly string[]) => Promise<void> | void,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-proxy-'));
  try {
    writeFileSync(join(directory, 'main.cf'), ['compatibility_level = 3.6', ...lines, ''].join('\n'));
    const { settings } = openSettings(directory);
    const warnings: string[] = [];
    const warn = (text: string): void => void warnings.push(text);
    await use(new TableOpener({ settings, configDirectory: directory, warn }), warnings);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('a table behind proxy:', () => {
  it('may be used where a parameter of proxy_read_maps names it', () =>
    withTables(['virtual_alias_maps = proxy:static:x'], async (opener, warnings) => {
      assert.deepEqual(await opener.open('proxy:static:x').lookup('a'), { kind: 'found', value: 'x' });
      assert.deepEqual(await opener.open('proxy:proxy:static:x').lookup('a'), { kind: 'found', value: 'x' });
      assert.deepEqual(warnings, []);
    }));

  it('is refused where none does, in the words of proxymap', () =>
    withTables(['proxy_read_maps = proxy:static:y'], (opener, warnings) => {
      assert.equal(
        opener.open('proxy:static:x').unavailable,
        'proxymap service is not configured for table "static:x"',
      );
      assert.deepEqual(warnings, [
        'request for unapproved table: "static:x"',
        'to approve this table for read-only access, list proxy:static:x in main.cf:proxy_read_maps',
      ]);
    }));

  it('is found inside combined tables and braces', () =>
    withTables(
      ['proxy_read_maps = unionmap:{static:z, proxy:static:x}, { proxy:static:y option=1 }'],
      async (opener) => {
        assert.equal((await opener.open('proxy:static:x').lookup('a')).kind, 'found');
        assert.equal((await opener.open('proxy:static:y').lookup('a')).kind, 'found');
        assert.equal((await opener.open('proxy:static:z').lookup('a')).kind, 'failed');
      },
    ));

  it('is opened without asking where data is sensitive: it is not reached through proxymap then', () =>
    withTables(['proxy_read_maps ='], async (opener) => {
      assert.equal((await opener.open('proxy:static:x', { paranoid: true }).lookup('a')).kind, 'found');
    }));

  it('is a cache only where proxy_write_maps says so', () => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-proxy-'));
    writeFileSync(join(directory, 'main.cf'), 'proxy_write_maps = proxy:internal:a\n');
    const { settings } = openSettings(directory);
    const errors: string[] = [];
    const opens = (map: string): boolean =>
      openCache(readCacheSettings(settings, map), {
        warn: () => undefined,
        error: (text) => errors.push(text),
      }).isBroken !== true;
    assert.deepEqual(['proxy:internal:b', 'proxy:internal:a', 'internal:b'].map(opens), [false, true, true]);
    assert.deepEqual(errors, ['proxywrite service is not configured for table "internal:b"']);
    rmSync(directory, { recursive: true });
  });
});
