import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openSettings, parseMainFile } from '#config';
import { isExpired, nextAttemptAt } from '../../../src/qmgr/backoff.ts';
import { compileSettings } from '../../../src/qmgr/settings.ts';

describe('when a deferred message is tried again', () => {
  const text = 'minimal_backoff_time = 2s\nmaximal_backoff_time = 5s\nmaximal_queue_lifetime = 3s\n';
  const { settings } = openSettings('/nowhere', { main: parseMainFile('main.cf', text) });
  const compiled = compileSettings(settings, () => undefined);

  it('goes by whole seconds, within the bounds', () => {
    const arrivedAt = 10_900;
    const waits = [11_100, 13_999, 17_200].map((now) => nextAttemptAt(arrivedAt, now, compiled));
    assert.deepEqual(waits, [13_000, 16_000, 22_000]);
  });

  it('is never tried again in the scan that tried it', () => {
    assert.equal(nextAttemptAt(10_000, 10_900, { ...compiled, minimalBackoffMs: 1000 }), 11_901);
  });

  it('expires by whole seconds too', () => {
    const message = { arrivedAt: 10_900, sender: 'a@x' };
    assert.equal(isExpired(message, 12_999, compiled), false);
    assert.equal(isExpired(message, 13_000, compiled), true);
  });
});
