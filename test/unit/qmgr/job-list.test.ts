import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Schedule, times } from '../../support/schedule.ts';

/** The terms of the examples in SCHEDULER_README: every second slot, and nothing on credit. */
const plain = { slotCost: 2, slotLoan: 0, slotDiscount: 0, minimumSlots: 0 };

/** The order of starts for messages with so many entries each, all there from the beginning. */
function order(sizes: readonly number[], settings: ConstructorParameters<typeof Schedule>[0]): string {
  const schedule = new Schedule(settings);
  for (const size of sizes) schedule.add(times(size, 'a'));
  return schedule.run().join('');
}

describe('the list of jobs', () => {
  it('lets a message with few entries ahead when its slots are there', () => {
    assert.equal(order([10, 2, 2], plain), '11112211113311');
  });

  it('lets it ahead earlier with a discount, and takes the whole price', () => {
    assert.equal(order([10, 2, 2], { ...plain, slotDiscount: 50 }), '11221111331111');
  });

  it('lets it ahead earlier with a loan', () => {
    assert.equal(order([10, 2, 2], { ...plain, slotLoan: 1 }), '11221111331111');
  });

  it('interleaves messages of one entry', () => {
    assert.equal(order([4, 1, 1, 1, 1], { ...plain, slotCost: 1 }), '12131415');
  });

  it('lets one that got ahead be preempted out of its own slots', () => {
    const schedule = new Schedule(plain);
    schedule.add(times(40, 'a'));
    schedule.add(times(8, 'a'));
    const first = schedule.run(18);
    schedule.add(times(1, 'a'));
    assert.deepEqual(first.slice(-3), [1, 2, 2]);
    assert.deepEqual(schedule.run(8), [3, 2, 2, 2, 2, 2, 2, 1]);
  });

  it('keeps the order of arrival without preemption', () => {
    assert.equal(order([4, 1, 2], { slotCost: 0 }), '1111233');
  });

  it('lets nothing ahead of a message that can earn fewer than the least slots', () => {
    assert.equal(order([14, 1], {}), `${'1'.repeat(14)}2`);
    assert.equal(order([15, 1], {}), `12${'1'.repeat(14)}`);
  });

  it('counts recipients that are not read yet as entries to come', () => {
    const schedule = new Schedule({});
    const bulk = schedule.message();
    bulk.unreadCount = 100;
    schedule.add(times(10, 'a'), bulk);
    schedule.add(['a']);
    const large = schedule.message();
    large.unreadCount = 100;
    schedule.add(['a'], large);
    schedule.add(['a']);
    assert.equal(schedule.run().join(''), '1211111411113');
  });

  it('prefers the one that has waited longest for each of its entries', () => {
    const schedule = new Schedule({});
    schedule.add(times(100, 'a'));
    schedule.add(times(2, 'a'));
    schedule.now = 100_000;
    schedule.add(['a']);
    assert.deepEqual(schedule.run(5), [1, 2, 2, 1, 1]);
  });

  it('takes no message for older because the clock is put back', () => {
    const schedule = new Schedule({});
    schedule.add(times(100, 'a'));
    schedule.add(times(2, 'a'));
    schedule.now = 100_000;
    schedule.clockStep = -3_600_000;
    schedule.add(['a']);
    assert.deepEqual(schedule.run(5), [1, 2, 2, 1, 1]);
  });

  it('takes the destinations of a message in turn', () => {
    const schedule = new Schedule({});
    schedule.add(['a', 'a', 'b', 'b', 'c']);
    const names: string[] = [];
    for (let entry = schedule.start(); entry !== undefined; entry = schedule.start()) names.push(entry.destination.key);
    assert.deepEqual(names, ['a', 'b', 'c', 'a', 'b']);
  });

  it('passes over a message whose destinations are full, until one has room', () => {
    const schedule = new Schedule({ initialConcurrency: 1, concurrencyLimit: 1 });
    schedule.add(['a', 'a']);
    schedule.add(['b']);
    const started = [schedule.start(), schedule.start(), schedule.start()];
    assert.deepEqual(
      started.map((entry) => entry?.message.sequence),
      [1, 2, undefined],
    );
    schedule.end(1);
    assert.equal(schedule.start(), undefined);
    schedule.end();
    assert.equal(schedule.start()?.message.sequence, 1);
  });

  it('lets nothing that is blocked get ahead', () => {
    const schedule = new Schedule({ initialConcurrency: 1, concurrencyLimit: 1 });
    schedule.add(['b']);
    schedule.start();
    const [held] = schedule.running.splice(0);
    assert.ok(held);
    schedule.add(times(30, 'a'));
    schedule.add(['b']);
    assert.deepEqual(schedule.run(6), times(6, 2));
    schedule.queue.finished(held.destination, schedule.now);
    assert.deepEqual(schedule.run(2), [3, 2]);
  });

  it('goes on with a destination when its rate delay is over', () => {
    const schedule = new Schedule({ destinationRateDelayMs: 1000 });
    schedule.add(['a', 'a', 'b']);
    assert.deepEqual(schedule.run(), [1, 1]);
    assert.equal(schedule.queue.nextMoment(schedule.now), 1000);
    schedule.now = 1000;
    assert.deepEqual(schedule.run(), [1]);
  });

  it('gives up what waits for a destination, and goes on with the others', () => {
    const schedule = new Schedule({});
    schedule.add(['a', 'b', 'a']);
    schedule.add(['a']);
    assert.equal(schedule.queue.withdraw(schedule.destination('a')).length, 3);
    assert.deepEqual(schedule.run(), [1]);
    assert.equal(schedule.queue.nextMoment(0), undefined);
  });
});
