import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Schedule, times } from '../support/schedule.ts';

const names = ['a', 'b', 'c', 'd'];
const sizes = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 3 }) }, fc.integer({ min: 4, max: 60 }));

type Step =
  | { readonly kind: 'message'; readonly destinations: readonly string[] }
  | { readonly kind: 'start' | 'end' | 'fail'; readonly at: number }
  | { readonly kind: 'later'; readonly at: number };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('message' as const),
      destinations: sizes.chain((size) => fc.array(fc.constantFrom(...names), { minLength: size, maxLength: size })),
    }),
    fc.record({ kind: fc.constantFrom('start' as const, 'end' as const), at: fc.nat(30) }),
    fc.record({ kind: fc.constantFrom('start' as const, 'fail' as const, 'later' as const), at: fc.nat(3000) }),
  ),
  { minLength: 20, maxLength: 120 },
);

const settings = fc.record({
  slotCost: fc.constantFrom(0, 1, 2, 5),
  slotLoan: fc.nat(3),
  slotDiscount: fc.constantFrom(0, 50, 100),
  minimumSlots: fc.nat(3),
  initialConcurrency: fc.integer({ min: 1, max: 3 }),
  concurrencyLimit: fc.integer({ min: 3, max: 5 }),
  processLimit: fc.constantFrom(0, 1, 7),
  destinationRateDelayMs: fc.constantFrom(0, 0, 0, 1000),
  transportRateDelayMs: fc.constantFrom(0, 0, 0, 500),
});

describe('the schedule of a transport', () => {
  it('starts every entry exactly once, exceeds no limit, and leaves no room unused', () => {
    fc.assert(
      fc.property(settings, steps, (given, all) => {
        const schedule = new Schedule(given);
        const { queue } = schedule;
        const waiting = new Set<unknown>();
        const start = (): boolean => {
          const entry = schedule.start();
          if (entry === undefined) {
            const hasRoom = given.processLimit === 0 || queue.busy < given.processLimit;
            const isPaused = schedule.now < queue.pausedUntil;
            for (const destination of queue.destinations.values())
              assert.ok(!hasRoom || isPaused || destination.waitingCount === 0 || !destination.canStart(schedule.now));
            return false;
          }
          assert.ok(waiting.delete(entry));
          assert.ok(given.processLimit === 0 || queue.busy <= given.processLimit);
          assert.ok(entry.destination.busy <= given.concurrencyLimit);
          return true;
        };
        for (const step of all) {
          if (step.kind === 'message') for (const entry of schedule.add(step.destinations)) waiting.add(entry);
          if (step.kind === 'start') start();
          if (step.kind === 'later') schedule.now += step.at;
          if (step.kind === 'end') {
            schedule.running[step.at]?.destination.onSuccess();
            schedule.end(step.at);
          }
          if (step.kind === 'fail') {
            const destination = schedule.running[step.at]?.destination;
            destination?.onSiteFailure({ code: '4.4.1', reason: '' }, schedule.now, 1000);
            if (destination?.deadReason !== undefined)
              for (const entry of queue.withdraw(destination)) assert.ok(waiting.delete(entry));
            schedule.end(step.at);
          }
        }
        for (let left = waiting.size * 3 + 100; waiting.size > 0 && left > 0; left -= 1) {
          while (start());
          while (schedule.end() !== undefined);
          const next = queue.nextMoment(schedule.now);
          if (next !== undefined) schedule.now = next;
        }
        assert.equal(waiting.size, 0);
        const count = [...queue.destinations.values()].reduce((sum, { waitingCount }) => sum + waitingCount, 0);
        assert.equal(count, 0);
      }),
      { numRuns: 300 },
    );
  });

  it('starts a small message behind a large one within a bounded number of slots', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.nat(400), fc.boolean(), (size, ahead, sameDestination) => {
        const schedule = new Schedule({});
        schedule.add(times(size, 'a'));
        schedule.run(Math.min(ahead, size));
        const { sequence } = schedule.message();
        schedule.add([sameDestination ? 'a' : 'b']);
        // 14 entries are the most that a message may have which lets nobody ahead; 1 is what earns the first credit
        const place = schedule.run().indexOf(sequence + 1);
        assert.ok(place >= 0 && place <= 14, `place ${place}`);
      }),
    );
  });

  it('makes no large message take longer than the slots it grants, however many small ones come', () => {
    const bulkSizes = fc.integer({ min: 20, max: 500 });
    const costs = fc.integer({ min: 2, max: 8 });
    fc.assert(
      fc.property(bulkSizes, costs, fc.infiniteStream(sizes), (size, slotCost, arrivals) => {
        const schedule = new Schedule({ slotCost });
        schedule.add(times(size, 'a'));
        let slots = 0;
        for (let left = size; left > 0; slots += 1) {
          schedule.add(times(arrivals.next().value ?? 1, 'a'));
          if (schedule.run(1)[0] === 1) left -= 1;
          assert.ok(slots < size * 20, 'it starves');
        }
        // the loan, and half of a price, are granted to the last one that gets ahead of it, and to those ahead of that
        assert.ok(slots <= (size * slotCost) / (slotCost - 1) + size * 0.5 + 20, `${slots} for ${size} at ${slotCost}`);
      }),
    );
  });

  it('starts the entries of one message for one destination in their order', () => {
    fc.assert(
      fc.property(fc.array(sizes, { minLength: 1, maxLength: 20 }), (all) => {
        const schedule = new Schedule({});
        const expected = all.map((size) => schedule.add(times(size, 'a')));
        const seen = new Map<number, unknown[]>();
        for (let entry = schedule.start(); entry !== undefined; entry = schedule.start()) {
          const list = seen.get(entry.message.sequence) ?? [];
          list.push(entry);
          seen.set(entry.message.sequence, list);
          schedule.end();
        }
        assert.deepEqual(
          [...seen].toSorted(([a], [b]) => a - b).map(([, list]) => list),
          expected,
        );
      }),
    );
  });
});
