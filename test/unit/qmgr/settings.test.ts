import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openSettings, parseMainFile } from '#config';
import { compileSettings } from '../../../src/qmgr/settings.ts';

describe("the queue manager's settings", () => {
  it('keep a bounce no longer than other mail, and have room for a recipient of each message', () => {
    const text = 'bounce_queue_lifetime = 9d\nqmgr_message_recipient_limit = 10\nqmgr_message_active_limit = 20\n';
    const { settings } = openSettings('/nowhere', { main: parseMainFile('main.cf', text) });
    const warnings: string[] = [];
    const compiled = compileSettings(settings, (warning) => warnings.push(warning));
    assert.equal(compiled.bounceLifetimeMs, compiled.maximalLifetimeMs);
    assert.equal(compiled.recipientLimit, 20);
    assert.deepEqual(warnings, [
      'qmgr_message_recipient_limit is smaller than qmgr_message_active_limit - adjusting qmgr_message_recipient_limit',
      'bounce_queue_lifetime is larger than maximal_queue_lifetime - adjusting bounce_queue_lifetime',
    ]);
  });
});
