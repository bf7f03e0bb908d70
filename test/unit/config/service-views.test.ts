import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadConfiguration } from '#config';

describe('the settings of a service', () => {
  const directory = mkdtempSync(join(tmpdir(), 'service-views-'));
  after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'main.cf'), 'smtp_helo_name = $process_name.example\n');
  writeFileSync(
    join(directory, 'master.cf'),
    'smtp unix - - n - - smtp\nrelay unix - - n - - smtp\n  -o syslog_name=postfix/$service_name\n',
  );

  it('know what master.cf calls it, and what it runs', () => {
    const configuration = loadConfiguration(directory);
    const { settings, services } = configuration;
    const [smtp = settings, relay = settings] = services.map((entry) => configuration.settingsFor(entry));
    assert.equal(relay.string('syslog_name'), 'postfix/relay');
    assert.equal(relay.string('smtp_helo_name'), 'smtp.example');
    assert.equal(smtp.string('syslog_name'), 'postfix');
    assert.equal(smtp.string('service_name'), 'smtp');
    assert.equal(settings.string('service_name'), '');
  });
});
