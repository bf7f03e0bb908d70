import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuietWatch } from '../../../src/native/quiet-memory.ts';

const idle = 0.001;
const busy = 0.5;

/** Looks again and again at the same use of time. Returns how often it was time to collect. */
function looks(watch: QuietWatch, share: number, times: number): number {
  let collections = 0;
  for (let i = 0; i < times; i++) if (watch.look(share, watch.lookMs)) collections++;
  return collections;
}

test('memory is collected once after the start, when that is over', () => {
  const watch = new QuietWatch();
  assert.equal(looks(watch, 0.1, 4), 0);
  assert.equal(looks(watch, idle, 2), 0);
  assert.equal(looks(watch, idle, 1), 1);
  assert.equal(looks(watch, idle, 1000), 0);
});

test('mail that comes at once makes it a burst', () => {
  const watch = new QuietWatch();
  const afterStart = watch.lookMs;
  assert.equal(looks(watch, busy, 20), 0);
  assert.ok(watch.lookMs > 10 * afterStart);
  assert.equal(looks(watch, idle, 2), 0);
  assert.equal(looks(watch, idle, 1), 1);
});

test('work begins the wait anew', () => {
  const watch = new QuietWatch();
  assert.equal(looks(watch, idle, 2), 0);
  assert.equal(looks(watch, busy, 1), 0);
  assert.equal(looks(watch, idle, 2), 0);
  assert.equal(looks(watch, idle, 1), 1);
});

test('after a burst it takes a longer rest, and each burst is followed by one collection', () => {
  const watch = new QuietWatch();
  looks(watch, idle, 3);
  const afterStart = new QuietWatch().lookMs;
  assert.ok(watch.lookMs > 10 * afterStart);
  for (let burst = 0; burst < 3; burst++) {
    assert.equal(looks(watch, busy, 5), 0);
    assert.equal(looks(watch, idle, 2), 0);
    assert.equal(looks(watch, idle, 100), 1);
  }
});
