import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PathTurns } from '../../../src/delivery/path-turns.ts';

describe('writers to the same file', () => {
  it('take turns, whatever becomes of them, and others do not wait', async () => {
    const turns = new PathTurns();
    const seen: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = turns.run('/a', async () => {
      seen.push('first begins');
      await gate.promise;
      throw new Error('no room');
    });
    const second = turns.run('/a', (before) => {
      seen.push(`second after ${String(before?.error)}`);
      return Promise.resolve(2);
    });
    const third = turns.run('/a', (before) => {
      seen.push(`third after ${String(before?.error)}`);
      return Promise.resolve(3);
    });
    assert.equal(await turns.run('/b', () => Promise.resolve(0)), 0);
    assert.deepEqual(seen, ['first begins']);
    gate.resolve();
    await assert.rejects(first, /no room/);
    assert.deepEqual([await second, await third], [2, 3]);
    assert.deepEqual(seen, ['first begins', 'second after Error: no room', 'third after undefined']);
  });

  it('leave the event loop a turn between them', async () => {
    const turns = new PathTurns();
    let isSent = false;
    const first = turns.run('/a', () => Promise.resolve());
    const second = turns.run('/a', () => Promise.resolve(isSent));
    void first.then(() => setImmediate(() => (isSent = true)));
    assert.equal(await second, true);
  });
});
