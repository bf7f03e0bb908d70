import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EventLog } from '#events';

describe('the tag of a log line', () => {
  function shownTag(tag: string): string {
    let shown = '';
    const log = new EventLog([{ write: (records) => void (shown = records.map((record) => record.tag).join()) }]);
    log.channel(tag).emit({ kind: 'note', text: 'hello' });
    log.flush();
    return shown;
  }

  it('begins no line of its own', () => {
    assert.equal(shownTag('postfix/x[1]: \nJul  1 00:00:00 mail forged'), 'postfix/x[1]: ?Jul  1 00:00:00 mail forged');
    assert.equal(shownTag('a\u0001\u001b[1mb\u007f\ufffdé'), 'a??[1mb??é');
  });

  it('has an end', () => {
    assert.equal(shownTag('x'.repeat(60_000)), 'x'.repeat(2000));
  });
});
