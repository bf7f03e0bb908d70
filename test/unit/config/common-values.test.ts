import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ConfigError, openCommandSettings } from '#config';

describe('main.cf for commands', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-common-'));
  after(() => rmSync(directory, { recursive: true }));

  /** What is wrong with a main.cf; nothing when it can be used. */
  const problems = (mainCf: string): readonly string[] => {
    writeFileSync(join(directory, 'main.cf'), mainCf);
    try {
      openCommandSettings(directory);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems.map((text) => text.replace(`${directory}/`, ''));
    }
  };

  it('is refused for wrong values of what every program reads', () => {
    assert.deepEqual(problems('message_size_limit = x\nmax_idle = y\n'), [
      'main.cf, line 2: bad value for parameter max_idle: "y": bad time value; write a number with s, m, h, d or w behind it, such as "5d"',
      'main.cf, line 1: bad value for parameter message_size_limit: "x": bad numerical configuration; write a whole number',
    ]);
    assert.equal(problems('helpful_warnings = maybe\n').length, 1);
    assert.equal(problems('hash_queue_depth = 0\n').length, 1);
    assert.equal(problems('myhostname = a..b\n').length, 1);
    assert.equal(problems('compatibility_level = x\n').length, 1);
    for (const name of ['mail_name', 'syslog_name', 'double_bounce_sender', 'cleanup_service_name']) {
      assert.deepEqual(problems(`${name} =\n`), [
        `main.cf, line 1: bad value for parameter ${name}: "": it must not be empty`,
      ]);
    }
    assert.equal(problems('syslog_facility = nosuch\n').length, 1);
    assert.match(problems('myorigin = /nonexistent\n').join(), /cannot open file/);
  });

  it('is taken with wrong values of what only some programs read', () => {
    assert.deepEqual(
      problems('smtpd_helo_required = maybe\nbounce_queue_lifetime = 5x\nvirtual_mailbox_limit = x\n'),
      [],
    );
  });
});
