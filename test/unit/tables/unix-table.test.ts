import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Table } from '../../../src/tables/table.ts';
import { unixTable } from '../../../src/tables/unix-table.ts';

function open(map: string, foldKeys = false): Table {
  const table = unixTable(`unix:${map}`, map, foldKeys);
  if (typeof table === 'string') throw new Error(table);
  return table;
}

describe('tables of users and groups', () => {
  it('have the lines of passwd(5)', async () => {
    const table = open('passwd.byname');
    const root = await table.lookup('root');
    assert.match(root.kind === 'found' ? root.value : root.kind, /^root:x:0:0:/);
    assert.deepEqual(await table.lookup('root@example.com'), { kind: 'missing' });
  });

  it('have the lines of group(5)', async () => {
    const root = await open('group.byname').lookup('root');
    assert.match(root.kind === 'found' ? root.value : root.kind, /^root:x:0:/);
  });

  it('know a name in any case only where they are asked to', async () => {
    assert.equal((await open('passwd.byname', true).lookup('ROOT')).kind, 'found');
    assert.equal((await open('passwd.byname').lookup('ROOT')).kind, 'missing');
  });

  it('are of users or groups', () => {
    assert.equal(unixTable('unix:hosts.byname', 'hosts.byname', false), 'unknown table: unix:hosts.byname');
  });
});
