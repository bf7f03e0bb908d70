import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { internalEnvelope } from '#message';
import { openStore, serialOf } from '#store';
import { Claims } from '../../../src/store/sqlite/claims.ts';
import { HeldMessages } from '../../../src/store/sqlite/held-messages.ts';
import type { Operation } from '../../../src/store/sqlite/operations.ts';
import { Reader } from '../../../src/store/sqlite/reader.ts';
import { databaseName } from '../../../src/store/sqlite/schema.ts';
import { StoredMessages } from '../../../src/store/sqlite/stored-messages.ts';
import { WriterClient } from '../../../src/store/sqlite/writer-client.ts';

const holder = 1;
const anywhere = { after: 0, last: Infinity, limit: 10 };

describe('claims', () => {
  let directory = '';
  let writer: WriterClient;
  let reader: Reader;
  let stored: StoredMessages;
  let warnings: string[] = [];
  const held = new HeldMessages();
  const warn = (text: string): void => void warnings.push(text);

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'posthorn-claims-'));
    warnings = [];
    const store = await openStore({ directory, longQueueIds: false, warn });
    for (let i = 0; i < 3; i += 1) {
      await store.begin(i).commit({
        envelope: { ...internalEnvelope('', i, 'mail'), messageId: '' },
        recipients: [{ address: 'a@x.example', original: '', dsnOriginal: '', notify: [] }],
        queue: 'incoming',
        headerBytes: 0,
        sizeBytes: 0,
      });
    }
    await store.close();
    const path = join(directory, databaseName);
    writer = await WriterClient.start(path, { onSalvaged: () => undefined, onLost: () => undefined });
    reader = new Reader(path);
    stored = new StoredMessages(reader, writer, held, warn);
  });
  afterEach(async () => {
    reader.close();
    await writer.close();
    rmSync(directory, { recursive: true });
  });

  /** Reads everything but the second message. */
  const faultyReader = (): Pick<StoredMessages, 'read' | 'toMessage'> => {
    let reads = 0;
    return {
      toMessage: (row) => stored.toMessage(row),
      read: (ask) => {
        reads += 1;
        return reads === 2 ? Promise.reject(new Error('disk I/O error')) : stored.read(ask);
      },
    };
  };
  const queues = (): readonly number[] => reader.page([0, 1, 2], anywhere).map(({ queue }) => queue);

  it('bring what can be read, and put back the rest for later', async () => {
    const claims = new Claims(writer, faultyReader(), held, warn);
    assert.equal((await claims.due(holder, 'incoming', 0, 10)).length, 2);
    assert.deepEqual(queues(), [1, 2, 1]);
    assert.deepEqual(warnings, ['cannot take up a queued message: disk I/O error']);
    assert.equal((await claims.due(holder, 'deferred', Date.now() + 120_000, 10)).length, 1);
  });

  let isFaulty = true;
  const faultyWriter = {
    run: (operation: Operation) =>
      isFaulty && operation.kind === 'returnLease' ? Promise.reject(new Error('read-only')) : writer.run(operation),
  };

  it('remember what could not be put back', async () => {
    isFaulty = true;
    const claims = new Claims(faultyWriter, faultyReader(), held, warn);
    await claims.due(holder, 'incoming', 0, 10);
    assert.deepEqual(queues(), [1, 1, 1]);
    isFaulty = false;
    await claims.due(holder, 'incoming', 0, 10);
    assert.deepEqual(queues(), [1, 2, 1]);
  });

  it('remember what could not go back to maildrop', async () => {
    isFaulty = true;
    await writer.run({ kind: 'requeue', serials: reader.page([0], anywhere).map(({ serial }) => serial) });
    const claims = new Claims(faultyWriter, stored, held, warn);
    const [message] = await claims.due(holder, 'maildrop', 0, 1);
    await claims.putBackToMaildrop(holder, message?.queueId ?? '');
    assert.equal(reader.row(serialOf(message?.queueId ?? '') ?? 0)?.queue, 1);
    isFaulty = false;
    await claims.due(holder, 'incoming', 0, 10);
    assert.deepEqual(
      reader.page([5], anywhere).map(({ serial }) => reader.row(serial)?.queue),
      [5, 5, 5],
    );
  });
});
