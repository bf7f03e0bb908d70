import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { serialOf } from '#store';
import { makeQueueId } from '../../src/store/queue-id.ts';

describe('queue IDs', () => {
  it('give back the serial number they were made of, in both forms', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_500_000_000_000, max: 4_000_000_000_000 }),
        fc.integer({ min: 0x100000, max: 2 ** 40 }),
        fc.boolean(),
        (at, serial, isLong) => {
          const id = makeQueueId(at, serial, isLong);
          assert.equal(serialOf(id), serial);
          assert.match(id, isLong ? /^[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10}z/ : /^[0-9A-F]{10,}$/);
        },
      ),
    );
  });

  it('are read from any text without a throw', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const serial = serialOf(text);
        assert.ok(serial === undefined || Number.isSafeInteger(serial));
      }),
    );
  });
});
