import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { loadWriterThread, openStore } from '#store';

describe('the thread that writes the queue', () => {
  let directory = '';
  const lost: string[] = [];
  const options = {
    longQueueIds: false,
    warn: (): void => undefined,
    onLost: (reason: string) => lost.push(reason),
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'posthorn-writer-'));
    lost.length = 0;
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('leaves nobody waiting when it dies, and that is told once', async () => {
    const writerThread = await loadWriterThread();
    const store = await openStore({ ...options, directory, writerThread });
    const waiting = assert.rejects(store.claim('incoming', 0, 1), /has ended/);
    await writerThread.terminate();
    await waiting;
    await assert.rejects(store.claim('incoming', 0, 1), /has ended/);
    assert.deepEqual(lost, ['the thread that writes has ended']);
  });

  it('takes nothing into a file that was removed', async () => {
    const store = await openStore({ ...options, directory });
    rmSync(join(directory, 'posthorn.db'));
    await assert.rejects(store.claim('incoming', 0, 1), /posthorn\.db is gone/);
    assert.match(lost.join(), /posthorn\.db is gone/);
    await store.close();
    assert.ok(!existsSync(join(directory, 'posthorn.db')));
  });

  it('goes on once a file that could not be opened is back', async () => {
    const store = await openStore({ ...options, directory });
    const path = join(directory, 'posthorn.db');
    renameSync(path, `${path}-away`);
    mkdirSync(path);
    for (let turn = 0; turn < 2; turn += 1)
      await assert.rejects(store.claim('incoming', 0, 1), /unable to open database file/);
    rmdirSync(path);
    renameSync(`${path}-away`, path);
    assert.deepEqual(await store.claim('incoming', 0, 1), []);
    assert.equal(await store.find('none'), undefined);
    await store.close();
    assert.deepEqual(lost, []);
  });

  it('ends also while the file can not be opened', async () => {
    const store = await openStore({ ...options, directory });
    const path = join(directory, 'posthorn.db');
    rmSync(path);
    mkdirSync(path);
    await assert.rejects(store.claim('incoming', 0, 1), /unable to open database file/);
    await store.close();
    assert.deepEqual(lost, []);
  });

  it('lives without a reserve where none can be made', async () => {
    mkdirSync(join(directory, 'posthorn.db-reserve'));
    const store = await openStore({ ...options, directory });
    for (let turn = 0; turn < 3; turn += 1) assert.deepEqual(await store.claim('incoming', 0, 1), []);
    await store.close();
    assert.deepEqual(lost, []);
  });
});
