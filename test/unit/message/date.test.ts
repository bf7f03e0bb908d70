import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';

/** Dates of a process that lives in a time zone of its own. */
function datesIn(zone: string, ...times: readonly number[]): readonly string[] {
  const module = join(import.meta.dirname, '../../../src/message/date.ts');
  const script = `import { formatMailDate } from ${JSON.stringify(module)};
    for (const at of ${JSON.stringify(times)}) console.log(formatMailDate(at));`;
  const env = { ...process.env, TZ: zone };
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' })
    .trimEnd()
    .split('\n');
}

describe('a date in mail', () => {
  const winter = Date.UTC(2026, 0, 5, 1, 2, 3);
  const summer = Date.UTC(2026, 6, 15, 22, 0, 0);

  it('has two digits a day, and the name of the zone', () => {
    assert.deepEqual(datesIn('UTC', winter), ['Mon, 05 Jan 2026 01:02:03 +0000 (UTC)']);
    assert.deepEqual(datesIn('Europe/Berlin', winter, summer, winter), [
      'Mon, 05 Jan 2026 02:02:03 +0100 (CET)',
      'Thu, 16 Jul 2026 00:00:00 +0200 (CEST)',
      'Mon, 05 Jan 2026 02:02:03 +0100 (CET)',
    ]);
    assert.deepEqual(datesIn('America/New_York', winter), ['Sun, 04 Jan 2026 20:02:03 -0500 (EST)']);
    assert.deepEqual(datesIn('Asia/Kolkata', winter), ['Mon, 05 Jan 2026 06:32:03 +0530 (IST)']);
  });
});
