import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { TurnEnd } from '#smtp';

describe('the end of a turn', () => {
  it('has all that is to be done in the turn done, in order, when nothing more comes in it', async () => {
    const done: string[] = [];
    const turnEnd = new TurnEnd();
    turnEnd.add(() => done.push('a'));
    await Promise.resolve().then(() => turnEnd.add(() => done.push('b')));
    assert.deepEqual(done, []);
    await setImmediate();
    assert.deepEqual(done, ['a', 'b']);
  });

  it('leaves what comes about meanwhile to the next turn', async () => {
    const done: string[] = [];
    const turnEnd = new TurnEnd();
    turnEnd.add(() => {
      done.push('a');
      turnEnd.add(() => done.push('b'));
    });
    await setImmediate();
    assert.deepEqual(done, ['a']);
    await setImmediate();
    assert.deepEqual(done, ['a', 'b']);
  });

  it('lets nobody go on before all have been told', async () => {
    const done: string[] = [];
    const turnEnd = new TurnEnd();
    for (const name of ['a', 'b']) {
      const { promise, resolve } = Promise.withResolvers<void>();
      turnEnd.add(() => {
        done.push(`${name} told`);
        resolve();
      });
      void promise.then(() => done.push(`${name} goes on`));
    }
    await setImmediate();
    assert.deepEqual(done, ['a told', 'b told', 'a goes on', 'b goes on']);
  });
});
