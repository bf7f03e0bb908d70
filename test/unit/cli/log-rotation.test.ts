import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { openSettings } from '#config';
import { rotateLog } from '../../../src/cli/log-rotation.ts';

/** Runs `use` with the settings of a main.cf in a directory of its own. */
async function withMain(
  main: (directory: string) => string,
  use: (directory: string, settings: ReturnType<typeof openSettings>['settings']) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-rotate-'));
  try {
    writeFileSync(join(directory, 'main.cf'), `myhostname = mail.example.com\n${main(directory)}\n`);
    await use(directory, openSettings(directory).settings);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('postfix logrotate', () => {
  it('keeps the old lines compressed, under the time, and has the log opened anew between', () =>
    withMain(
      (directory) => `maillog_file = ${directory}/mail.log\nmaillog_file_rotate_suffix = %Y-old`,
      async (directory, settings) => {
        const path = join(directory, 'mail.log');
        writeFileSync(path, 'old\n');
        const problem = await rotateLog(settings, () => writeFileSync(path, 'new\n'));
        assert.equal(problem, undefined);
        assert.equal(readFileSync(path, 'utf8'), 'new\n');
        const [rotated = ''] = readdirSync(directory).filter((name) => name.startsWith('mail.log.'));
        assert.match(rotated, /^mail\.log\.\d{4}-old\.gz$/);
        assert.equal(gunzipSync(readFileSync(join(directory, rotated))).toString(), 'old\n');
      },
    ));

  it('is refused where the log goes to syslog or to a device', async () => {
    const expected = {
      'maillog_file =': "empty 'maillog_file' parameter value - logfile rotation failed",
      'maillog_file = /dev/stdout': "not rotating '/dev/stdout'",
    };
    for (const [main, problem] of Object.entries(expected)) {
      await withMain(
        () => main,
        async (_, settings) => assert.equal(await rotateLog(settings, assert.fail), problem),
      );
    }
  });

  it('says what failed', () =>
    withMain(
      (directory) => `maillog_file = ${directory}/none.log`,
      async (_, settings) =>
        assert.match((await rotateLog(settings, assert.fail)) ?? '', /^logfile rotation failed: ENOENT/),
    ));
});
