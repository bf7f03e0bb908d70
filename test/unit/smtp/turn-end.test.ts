import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { TurnEnd } from '#smtp';

describe('the end of a turn', () => {
  it('has all senders of the turn send, in their order, when nothing more comes in it', async () => {
    const sent: string[] = [];
    const turnEnd = new TurnEnd();
    const sender = (name: string) => ({ flush: () => void sent.push(name) });
    turnEnd.add(sender('a'));
    await Promise.resolve().then(() => turnEnd.add(sender('b')));
    assert.deepEqual(sent, []);
    await setImmediate();
    assert.deepEqual(sent, ['a', 'b']);
  });

  it('leaves what comes about while they send to the next turn', async () => {
    const sent: string[] = [];
    const turnEnd = new TurnEnd();
    turnEnd.add({
      flush: () => {
        sent.push('a');
        turnEnd.add({ flush: () => void sent.push('b') });
      },
    });
    await setImmediate();
    assert.deepEqual(sent, ['a']);
    await setImmediate();
    assert.deepEqual(sent, ['a', 'b']);
  });
});
