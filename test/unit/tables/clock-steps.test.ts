import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { writeIndex } from '#tables';
import { Workbench } from './workbench.ts';

it('a changed table counts though the clock was put back', async (t) => {
  using bench = new Workbench();
  const path = `${bench.directory}/table`;
  writeFileSync(path, '');
  const fill = (value: string): void =>
    writeIndex('hash', path, new Map([['key', value]]), { mode: 0o644, owner: undefined });
  fill('old');
  const table = bench.open(`hash:${path}`);
  assert.deepEqual(await table.lookup('key'), { kind: 'found', value: 'old' });
  const at = Date.now();
  t.mock.method(Date, 'now', () => at - 3_600_000);
  fill('new');
  for (let turn = 0; turn < 100; turn += 1) {
    const found = await table.lookup('key');
    if (found.kind === 'found' && found.value === 'new') return;
    await setTimeout(50);
  }
  assert.fail('the old table is still in use');
});
