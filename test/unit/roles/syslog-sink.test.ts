import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSyslogSink } from '../../../src/roles/syslog-sink.ts';

describe('the log to syslog', () => {
  function priorityIn(facility: string): number {
    let priority = -1;
    const sink = createSyslogSink(facility, 'external', true, (_tag, given) => void (priority = given));
    sink.write([{ at: 0, tag: 'postfix/smtpd', pid: 1, event: { kind: 'warning', text: 'x' } }]);
    return priority;
  }

  it('goes to the facility that main.cf names, whichever it is', () => {
    const names = 'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp'.split(' ');
    assert.deepEqual(
      names.map(priorityIn),
      Array.from(names, (_, i) => i * 8 + 4),
    );
    assert.deepEqual([priorityIn('LOCAL7'), priorityIn('local0')], [23 * 8 + 4, 16 * 8 + 4]);
  });
});
