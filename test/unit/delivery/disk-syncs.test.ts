import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DirectorySyncs } from '../../../src/delivery/directory-syncs.ts';
import { syncInPlace } from '../../../src/delivery/disk-syncs.ts';

/** A disk whose syncs take `takesMs`, and a clock. */
function diskOf(takesMs: number) {
  const disk = { takesMs, at: 0, here: 0, inThread: 0 };
  const sync = syncInPlace({
    here: () => {
      disk.here += 1;
      disk.at += disk.takesMs;
    },
    inThread: () => {
      disk.inThread += 1;
      return Promise.resolve();
    },
    now: () => disk.at,
  });
  return { disk, sync };
}

describe('syncs in place', () => {
  it('waits for a quick disk itself', () => {
    const { disk, sync } = diskOf(0.4);
    for (let i = 0; i < 100; i += 1) assert.equal(sync(1), undefined);
    assert.deepEqual([disk.here, disk.inThread], [100, 0]);
  });

  it('puts up with slow syncs among quick ones', () => {
    const { disk, sync } = diskOf(0.2);
    for (let i = 0; i < 100; i += 1) {
      disk.takesMs = i % 10 < 4 ? 9 : 0.2;
      void sync(1);
    }
    assert.deepEqual([disk.here, disk.inThread], [100, 0]);
  });

  it('leaves a slow disk to threads, and looks at it again later and later', () => {
    const { disk, sync } = diskOf(20);
    for (let i = 0; i < 100; i += 1) void sync(1);
    assert.deepEqual([disk.here, disk.inThread], [8, 92]);
    disk.at += 1001;
    void sync(1);
    void sync(1);
    assert.deepEqual([disk.here, disk.inThread], [9, 93]);
    disk.at += 1001;
    void sync(1);
    assert.deepEqual([disk.here, disk.inThread], [9, 94]);
    disk.at += 1000;
    disk.takesMs = 0.3;
    for (let i = 0; i < 100; i += 1) void sync(1);
    assert.deepEqual([disk.here, disk.inThread], [109, 94]);
  });

  it('lets nobody wait twice for a disk that is stuck', () => {
    const { disk, sync } = diskOf(4000);
    void sync(1);
    void sync(1);
    assert.deepEqual([disk.here, disk.inThread], [1, 1]);
  });

  it('tells of a failure', () => {
    const sync = syncInPlace({
      here: () => {
        throw new Error('input/output error');
      },
      inThread: () => undefined,
      now: () => 0,
    });
    assert.throws(() => void sync(1), /input/);
  });
});

describe('syncs of a directory', () => {
  it('are shared by the names of one turn, and by those that come while one runs', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'syncs-'));
    const running: (() => void)[] = [];
    const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
    const syncs = new DirectorySyncs(() => new Promise((resolve) => void running.push(resolve)));
    const first = [syncs.sync(directory), syncs.sync(directory)];
    await turn();
    assert.equal(running.length, 1);
    const second = [syncs.sync(directory), syncs.sync(directory)];
    await turn();
    assert.equal(running.length, 1);
    running[0]?.();
    await Promise.all(first);
    await turn();
    await turn();
    assert.equal(running.length, 2);
    running[1]?.();
    await Promise.all(second);
    rmSync(directory, { recursive: true });
  });

  it('tell everybody who waits of a failure', async () => {
    const syncs = new DirectorySyncs(() => Promise.reject(new Error('input/output error')));
    const waiting = [syncs.sync(tmpdir()), syncs.sync(tmpdir())];
    for (const one of await Promise.allSettled(waiting)) assert.equal(one.status, 'rejected');
  });
});
