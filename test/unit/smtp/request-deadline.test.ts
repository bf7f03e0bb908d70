import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RequestDeadline } from '#smtp';

describe('the time left for a request', () => {
  it('shrinks by waiting and grows by bytes, never beyond what it began with', () => {
    const deadline = new RequestDeadline({ timeoutMs: 10_000, minDataRate: 500 });
    deadline.spend(9000);
    deadline.earn(1000);
    assert.equal(deadline.leftMs, 3000);
    deadline.earn(1_000_000);
    assert.equal(deadline.leftMs, 10_000);
    deadline.spend(10_001);
    assert.ok(deadline.leftMs < 0);
    assert.equal(deadline.waitMs, 0);
    deadline.begin();
    assert.equal(deadline.leftMs, 10_000);
    deadline.spend(9900);
    assert.equal(deadline.waitMs, 1000);
  });
});
