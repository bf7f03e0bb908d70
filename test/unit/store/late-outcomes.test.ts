import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import type { Operation } from '../../../src/store/sqlite/operations.ts';
import { queueNumbers } from '../../../src/store/sqlite/schema.ts';
import { Writer } from '../../../src/store/sqlite/writer.ts';

const put: Operation = {
  kind: 'put',
  serial: 7,
  id: 'ABCDE7',
  queue: queueNumbers.active,
  holder: 1,
  due: 0,
  size: 0,
  contentBytes: 0,
  headerBytes: 0,
  envelope: '{}',
  recipients: '[]',
  content: Buffer.alloc(0),
  hasParts: false,
};
const end: Operation = {
  kind: 'update',
  serial: 7,
  queue: queueNumbers.deferred,
  holder: 0,
  due: 5,
  outcomes: 'both',
  warned: undefined,
};

describe('outcomes that waited for a full disk', () => {
  it('take nothing away from what the end of the attempt has written', () => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-late-'));
    const path = join(directory, 'posthorn.db');
    const writer = new Writer(path, () => undefined);
    const outcomesAfter = (operation: Operation): unknown => {
      assert.equal(writer.runBatch([operation])[0]?.kind, 'ok');
      const database = new DatabaseSync(path);
      const row = database.prepare('SELECT outcomes FROM messages').get();
      database.close();
      return row?.['outcomes'];
    };
    assert.equal(outcomesAfter(put), '');
    assert.equal(outcomesAfter({ kind: 'outcomes', serial: 7, outcomes: 'first' }), 'first');
    assert.equal(outcomesAfter(end), 'both');
    assert.equal(outcomesAfter({ kind: 'outcomes', serial: 7, outcomes: 'first' }), 'both');
    writer.close();
    rmSync(directory, { recursive: true });
  });
});
