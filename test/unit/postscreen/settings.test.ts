import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openSettings } from '#config';
import { compilePostscreenSettings } from '#postscreen';
import { TableOpener } from '#tables';

describe('settings of postscreen', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'postscreen-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  it('have shorter times under stress, in the same unit', () => {
    writeFileSync(join(directory, 'main.cf'), 'compatibility_level = 3.11\npostscreen_starttls_timeout = 2m\n');
    const { settings } = openSettings(directory);
    const tables = new TableOpener({ settings, configDirectory: directory, warn: () => undefined });
    const { greetWaitMs, commandTimeLimitMs, starttlsTimeoutMs } = compilePostscreenSettings(settings, tables);
    assert.deepEqual(
      [greetWaitMs, commandTimeLimitMs, starttlsTimeoutMs],
      [
        { normal: 6000, stressed: 2000 },
        { normal: 300_000, stressed: 10_000 },
        { normal: 120_000, stressed: 120_000 },
      ],
    );
  });
});
