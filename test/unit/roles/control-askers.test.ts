import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Asker, ControlAskers } from '../../../src/roles/control-askers.ts';

describe('who is connected to the control socket', () => {
  /** What gives way when connections of users come in turn: `user.number`, with `+` one whose request is in work. */
  function gone(most: number, ...words: readonly string[]): readonly string[] {
    const left: string[] = [];
    const askers = new ControlAskers(most);
    for (const word of words) {
      const asker = askers.admit({ user: Number.parseInt(word, 10), destroy: () => void left.push(word) });
      asker.isServed = word.endsWith('+');
    }
    return left;
  }

  it('gives way where it has most of the places, and the longest silent one first', () => {
    assert.deepEqual(gone(3, '1.1', '7.1+', '7.2', '7.3'), ['7.2']);
    assert.deepEqual(gone(3, '7.1', '7.2', '7.3', '7.4', '1.1'), ['7.1', '7.2']);
  });

  it('keeps a request that is in work against newer ones of the same user', () => {
    assert.deepEqual(gone(2, '7.1+', '7.2+', '7.3'), ['7.3']);
    assert.deepEqual(gone(2, '7.1+', '7.2+', '1.1'), ['7.2+']);
  });

  it('has room again when one has left', () => {
    const askers = new ControlAskers(1);
    const destroy = (): void => assert.fail('there was room');
    const first: Asker = askers.admit({ user: 1, destroy });
    askers.leave(first);
    askers.admit({ user: 2, destroy });
  });
});
