import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openSyslog } from '#native';

describe('syslog', () => {
  it('takes any number of tags, however long, in the same memory', () => {
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 4000; i += 1) openSyslog()(`${i}${'x'.repeat(65_000)}`, 23, 'text of a test');
    assert.ok(process.memoryUsage.rss() - before < 100e6);
  });
});
