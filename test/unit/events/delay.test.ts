import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatDelay } from '#events';

describe('delay figures', () => {
  for (const [ms, text] of [
    [0, '0'],
    [4, '0'],
    [5, '0.01'],
    [60, '0.06'],
    [145, '0.15'],
    [994, '0.99'],
    [996, '1'],
    [1249, '1.2'],
    [1250, '1.3'],
    [9949, '9.9'],
    [9960, '10'],
    [12_499, '12'],
    [12_500, '13'],
    [298_000, '298'],
  ] as const) {
    it(`show ${ms} ms as ${text}`, () => {
      assert.equal(formatDelay(ms, 2), text);
    });
  }

  it('follow delay_logging_resolution_limit', () => {
    assert.equal(formatDelay(1234, 0), '1');
    assert.equal(formatDelay(123.456, 6), '0.12');
    assert.equal(formatDelay(1.2345, 6), '0.0012');
  });
});
