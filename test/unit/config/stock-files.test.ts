import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import { loadConfiguration } from '#config';

describe('the configuration that an installation begins with', () => {
  const { warnings, services, settings } = loadConfiguration(fileURLToPath(new URL('../../../conf', import.meta.url)));

  it('has nothing to be warned of', () => {
    assert.deepEqual(warnings, []);
  });

  it('receives, relays and delivers on this machine', () => {
    const programs = new Set(services.map(({ command }) => command));
    for (const name of ['smtpd', 'pickup', 'cleanup', 'qmgr', 'smtp', 'local', 'virtual', 'lmtp', 'error', 'discard'])
      assert.ok(programs.has(name), name);
    assert.equal(settings.string('inet_interfaces'), 'localhost');
  });
});
