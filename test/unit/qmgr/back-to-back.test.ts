import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BackToBack } from '../../../src/qmgr/back-to-back.ts';

describe('deliveries back to back', () => {
  it('make connections worth keeping once mail follows mail, and until there is no more', () => {
    const deliveries = new BackToBack();
    assert.equal(deliveries.keepsConnections(10_000, 5), false);
    deliveries.onDone(10_400);
    assert.equal(deliveries.keepsConnections(11_900, 5), true);
    assert.equal(deliveries.keepsConnections(15_000, 5), true);
    assert.equal(deliveries.keepsConnections(15_000, 1), false);
    deliveries.onDone(15_000);
    assert.equal(deliveries.keepsConnections(15_000, 1), true);
  });

  it('go on for a moment after the last one, when mail followed mail before', () => {
    const deliveries = new BackToBack();
    assert.equal(deliveries.keepsConnections(10_000, 1), false);
    deliveries.onDone(10_100);
    assert.equal(deliveries.goesOn(10_100), false, 'a single one is no row');
    assert.equal(deliveries.keepsConnections(10_200, 1), true);
    deliveries.onDone(10_300);
    assert.equal(deliveries.goesOn(11_900), true);
    assert.equal(deliveries.goesOn(12_000), false);
  });
});
