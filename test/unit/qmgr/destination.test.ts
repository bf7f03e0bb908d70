import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Destination } from '../../../src/qmgr/destination.ts';
import { feedbackAt, parseFeedback } from '../../../src/qmgr/feedback.ts';
import { defaultSlots } from '../../support/schedule.ts';

describe('a destination', () => {
  const failed = { code: '4.4.1', reason: 'no connection' };
  const figures = ({ concurrency: { window, success, failure, failedCohorts } }: Destination): readonly number[] =>
    [window, success, failure, failedCohorts].map((value) => Number(value.toFixed(4)));

  it('learns from successes at the end of a row of them, and while it makes use of its window', () => {
    const positiveFeedback = { value: 0.3, perWindow: false };
    const destination = new Destination('key', 'x.example', {
      ...defaultSlots,
      initialConcurrency: 2,
      positiveFeedback,
    });
    destination.busy = 1;
    const seen = [1, 2, 3, 4].map(() => [destination.onSuccess(), ...figures(destination)]);
    assert.deepEqual(seen, [
      [0.3, 2, 0.3, 0, 0],
      [0.3, 2, 0.6, 0, 0],
      [0.3, 3, -0.1, 0, 0],
      [undefined, 3, -0.1, 0, 0],
    ]);
  });

  it('learns from failures at the beginning of a row of them', () => {
    const settings = {
      initialConcurrency: 2,
      negativeFeedback: { value: 1 / 3, perWindow: false },
      failedCohortLimit: 5,
    };
    const destination = new Destination('key', 'x.example', { ...defaultSlots, ...settings });
    destination.busy = 2;
    destination.onSiteFailure(failed, 0, 1000);
    assert.deepEqual(figures(destination), [1, 0, 0.6667, 0.5]);
    destination.onSiteFailure(failed, 0, 1000);
    assert.deepEqual(figures(destination), [1, 0, 0.3333, 1.5]);
  });

  it('is dead when a window full of deliveries has failed, and comes back with a success', () => {
    const destination = new Destination('key', 'x.example', { ...defaultSlots, initialConcurrency: 1 });
    destination.busy = 3;
    assert.equal(destination.onSiteFailure(failed, 0, 1000), undefined);
    assert.deepEqual(figures(destination), [0, 0, 0, 1]);
    assert.deepEqual(destination.deadFor(999), {
      code: failed.code,
      reason: `delivery temporarily suspended: ${failed.reason}`,
    });
    destination.onSuccess();
    assert.deepEqual(figures(destination), [3, 0, 0, 0]);
    destination.onSiteFailure(failed, 0, 1000);
    destination.onSiteFailure(failed, 0, 1000);
    assert.equal(destination.deadFor(1000), undefined);
  });

  it('reads feedback as Postfix does', () => {
    const of = (text: string): unknown => {
      const feedback = parseFeedback(text);
      return feedback === undefined ? undefined : feedbackAt(feedback, 5);
    };
    assert.deepEqual(['1', ' .5 ', '1e-1', '2/4', '1/ 3', '0'].map(of), [1, 0.5, 0.1, 0.5, 1 / 3, 0]);
    assert.deepEqual(['1/concurrency', '0.5 / concurrency'].map(of), [0.2, 0.1]);
    const refused = [
      '',
      '-1',
      '2/1',
      'x',
      '1/0',
      '0/0',
      '1.5/concurrency',
      '1/concurrencyx',
      '1/ 2 3',
      '1/sqrt_concurrency',
    ];
    assert.deepEqual(
      refused.map(of),
      refused.map(() => undefined),
    );
  });
});
