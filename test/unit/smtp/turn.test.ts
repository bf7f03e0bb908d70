import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Turn } from '#smtp';

describe('a turn of the event loop', () => {
  it('has what was heard in it worked on, in order, when nothing more comes in it', async () => {
    const done: string[] = [];
    const turn = new Turn();
    turn.whenAllHeard(() => done.push('a'));
    await Promise.resolve().then(() => turn.whenAllHeard(() => done.push('b')));
    assert.deepEqual(done, []);
    await setImmediate();
    assert.deepEqual(done, ['a', 'b']);
  });

  it('leaves what is heard meanwhile to the next one', async () => {
    const done: string[] = [];
    const turn = new Turn();
    turn.whenAllHeard(() => {
      done.push('a');
      turn.whenAllHeard(() => done.push('b'));
    });
    await setImmediate();
    assert.deepEqual(done, ['a']);
    await setImmediate();
    assert.deepEqual(done, ['a', 'b']);
  });

  it('lets nobody go on before all have heard, and has what they say sent when nobody has more to do', async () => {
    const done: string[] = [];
    const turn = new Turn();
    for (const name of ['a', 'b']) {
      const { promise, resolve } = Promise.withResolvers<void>();
      turn.whenAllHeard(() => {
        done.push(`${name} hears`);
        resolve();
      });
      void promise
        .then(() => turn.whenAllAnswered(() => done.push(`${name} is sent`)))
        .then(() => done.push(`${name} goes on`));
    }
    await setImmediate();
    assert.deepEqual(done, ['a hears', 'b hears', 'a goes on', 'b goes on', 'a is sent', 'b is sent']);
  });
});
