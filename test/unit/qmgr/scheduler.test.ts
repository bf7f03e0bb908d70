import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Destination } from '../../../src/qmgr/destination.ts';
import { Scheduler } from '../../../src/qmgr/scheduler.ts';
import { defaultSlots, Schedule } from '../../support/schedule.ts';

describe('the scheduler', () => {
  const scheduler = new Scheduler({ settingsOf: () => defaultSlots, onAhead: () => undefined, mostDead: 10 });
  const destinationNow = (): Destination => scheduler.destination('smtp', 'key', 'x.example');

  /** One delivery from its start to its end, with nothing behind it; whether its connection was worth keeping. */
  function deliver(now: number): boolean {
    const message = new Schedule().message();
    const destination = destinationNow();
    scheduler.add('smtp', message, [{ message, destination, recipients: [] }], now);
    for (const { entry } of scheduler.startable(now)) assert.equal(entry.destination, destination);
    const keeps = destination.backToBack.keepsConnections(now, destination.busy);
    destination.backToBack.onDone(now);
    scheduler.finished('smtp', destination, now);
    return keeps;
  }

  it('forgets a destination that nothing waits for', () => {
    const first = destinationNow();
    assert.equal(deliver(10_000), false);
    assert.notEqual(destinationNow(), first);
    assert.equal(deliver(10_001), false, 'and that mail went there before');
  });

  it('does not forget that mail follows mail when a destination has nothing to do for a moment', () => {
    const { backToBack } = destinationNow();
    backToBack.onDone(20_000);
    assert.equal(deliver(20_100), true);
    assert.equal(deliver(20_900), true);
    scheduler.prune(20_950);
    assert.equal(deliver(21_900), true);
    scheduler.prune(23_000);
    assert.equal(deliver(23_000), false);
  });
});
