/** The bookkeeping of recipients in parts, against a plain map of what became of each recipient. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Outcome } from '#message';
import { advance, changesByPart, doneCount, isDone, type Progress } from '../../src/store/sqlite/progress.ts';

const total = 23;

const finding = fc.record({
  index: fc.nat(total - 1),
  what: fc.constantFrom('sent', 'bounced', 'deferred', 'done'),
  reason: fc.string({ maxLength: 5 }),
});
type Finding = typeof finding extends fc.Arbitrary<infer F> ? F : never;

function outcomeOf({ index, what, reason }: Finding): readonly Outcome[] {
  return what === 'done' ? [] : [{ index, kind: what, status: { code: '2.0.0', reason } }];
}

/** What a recipient is known to be: waiting for a reason, or done, with something to report or without. */
interface Known {
  readonly isDone: boolean;
  readonly reason: string | undefined;
}

function expected(known: Known | undefined, { what, reason }: Finding): Known {
  if (what === 'done') return { isDone: true, reason: undefined };
  return known?.isDone === true ? known : { isDone: what !== 'deferred', reason };
}

describe('what is known of recipients in parts', () => {
  it('is what each recipient was last said to be, however it comes, in parts of any size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(finding, { maxLength: 8 })),
        fc.integer({ min: 1, max: 30 }),
        (writes, partSize) => {
          const parts = new Map<number, Progress>();
          const model = new Map<number, Known>();
          for (const write of writes) {
            // of one write, the outcomes come before those of whom nobody asks any more
            const ordered = write.toSorted((a, b) => Number(a.what === 'done') - Number(b.what === 'done'));
            for (const one of ordered) model.set(one.index, expected(model.get(one.index), one));
            const done = write.filter(({ what }) => what === 'done').map(({ index }) => index);
            for (const change of changesByPart(write.flatMap(outcomeOf), done, partSize))
              parts.set(change.part, advance(parts.get(change.part), change, partSize));
          }
          for (let index = 0; index < total; index += 1) {
            const progress = parts.get(Math.floor(index / partSize));
            const known = model.get(index);
            assert.equal(progress !== undefined && isDone(progress.done, index % partSize), known?.isDone ?? false);
            const kept = progress?.outcomes.filter((outcome) => outcome.index === index) ?? [];
            assert.deepEqual(
              kept.map(({ status }) => status.reason),
              known?.reason === undefined ? [] : [known.reason],
            );
          }
          const doneThere = [...parts.values()].reduce((sum, { done }) => sum + doneCount(done), 0);
          assert.equal(doneThere, [...model.values()].filter((known) => known.isDone).length);
        },
      ),
    );
  });

  it('does not change what was known before', () => {
    fc.assert(
      fc.property(fc.array(finding), fc.array(finding), (first, second) => {
        const change = (findings: readonly Finding[]) => ({ outcomes: findings.flatMap(outcomeOf), done: [] });
        const before = advance(undefined, change(first), total);
        const copy = structuredClone(before);
        advance(before, change(second), total);
        assert.deepEqual(before, copy);
      }),
    );
  });
});
