import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ModelledStore, type Step } from '../support/modelled-store.ts';

const by = fc.constantFrom(0 as const, 1 as const);
const at = fc.nat(1000);
const some = fc.array(at, { minLength: 1, maxLength: 3 });
const kinds = fc.array(fc.constantFrom('sent' as const, 'deferred' as const, 'bounced' as const), { minLength: 1 });
const queue = fc.constantFrom('incoming' as const, 'active' as const, 'deferred' as const, 'hold' as const);
const seldom = fc.integer({ min: 0, max: 7 }).map((drawn) => drawn === 1);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      by,
      size: fc.constantFrom(0, 400, 400, 8157, 262_145),
      recipients: fc.constantFrom(1, 1, 3, 500, 501),
      isHeld: seldom,
      isTaken: fc.boolean(),
      isGradual: seldom,
      isAborted: seldom,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('claim' as const),
      by,
      from: fc.constantFrom('incoming' as const, 'deferred' as const, 'maildrop' as const),
      limit: fc.nat(4),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('claimById' as const), by, at: some }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('tell' as const),
      at,
      kinds,
      ends: fc.boolean(),
      wait: fc.integer({ min: -5, max: 10 }).map((tens) => tens * 10),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      at,
      how: fc.constantFrom('gone' as const, 'putBack' as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('hold' as const, 'release' as const, 'requeue' as const, 'expire' as const),
      by,
      at: fc.oneof(some, queue),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), by, at: some }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('makeDue' as const),
      by,
      site: fc.constantFrom(undefined, 'site.example'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('leave' as const),
      by,
      how: fc.constantFrom('close' as const, 'die' as const),
    }),
  },
);

describe('the queue store', () => {
  it('holds what a simple model says, whatever two processes do with it, and however they end', async () => {
    const walks = fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 50 }), async (steps) => {
      const both = await ModelledStore.open();
      try {
        for (const [count, one] of steps.entries()) {
          await both.take(one);
          if (count % 5 === 4) await both.compare(count % 2 === 0 ? 0 : 1);
        }
        await both.compare(0);
      } finally {
        await both.close();
      }
    });
    // for longer, a failure is not made smaller
    await fc.assert(walks, { numRuns: 5, interruptAfterTimeLimit: 30_000 });
  });
});
