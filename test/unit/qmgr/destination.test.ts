import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Destination } from '../../../src/qmgr/destination.ts';
import { defaultSlots } from '../../support/schedule.ts';

describe('a destination', () => {
  it('keeps connections once mail follows mail, and until there is no more', () => {
    const destination = new Destination('key', 'x.example', defaultSlots);
    destination.busy = 5;
    assert.equal(destination.keepsConnections(10_000), false);
    destination.onDone(10_400);
    assert.equal(destination.keepsConnections(11_900), true);
    assert.equal(destination.keepsConnections(15_000), true);
    destination.busy = 1;
    assert.equal(destination.keepsConnections(15_000), false);
    destination.onDone(15_000);
    assert.equal(destination.keepsConnections(15_000), true);
  });
});
