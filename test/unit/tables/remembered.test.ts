import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { remembered } from '../../../src/tables/remembered.ts';
import type { LookupResult } from '../../../src/tables/table.ts';

describe('a table whose answers are remembered', () => {
  const answers: Record<string, LookupResult> = {
    known: { kind: 'found', value: 'x' },
    broken: { kind: 'failed', reason: 'no answer' },
  };

  it('is asked once in 50 ms, but after failures', async () => {
    const asked: string[] = [];
    let now = 0;
    const lookup = (key: string): LookupResult => {
      asked.push(key);
      return answers[key] ?? { kind: 'missing' };
    };
    const table = remembered({ name: 'unix:x', acceptsPartialKeys: true, lookup }, () => now);
    for (const at of [0, 20, 49]) {
      now = at;
      for (const key of ['known', 'unknown', 'broken'])
        assert.deepEqual(await table.lookup(key), answers[key] ?? { kind: 'missing' });
    }
    assert.deepEqual(asked, ['known', 'unknown', 'broken', 'broken', 'broken']);
    now = 51;
    await table.lookup('known');
    assert.equal(asked.length, 6);
  });

  it('keeps the last thousand', async () => {
    let asked = 0;
    const lookup = (): LookupResult => {
      asked += 1;
      return { kind: 'missing' };
    };
    const table = remembered({ name: 'unix:x', acceptsPartialKeys: true, lookup }, () => 0);
    for (let i = 0; i < 1001; i += 1) await table.lookup(String(i));
    await table.lookup('1000');
    assert.equal(asked, 1001);
    await table.lookup('0');
    assert.equal(asked, 1002);
  });
});
