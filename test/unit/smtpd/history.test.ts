import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { SessionNotice } from '#smtp';
import { TestServer } from './conversation.ts';

it('a history that is long ends before the reply to EHLO or RSET', async () => {
  const notices: SessionNotice[] = [];
  const server = new TestServer({
    mainCf: 'notify_classes = protocol\nsmtpd_history_flush_threshold = 5',
    notifyPostmaster: (notice) => notices.push(notice),
  });
  try {
    await server.talk('EHLO c', 'XX', 'RSET', 'QUIT');
    const [notice] = notices;
    assert.match(notice?.lines[0] ?? '', /^Out: 220 /);
    assert.equal(notice?.lines[1], 'In:  EHLO c');
    assert.deepEqual(notice?.lines.slice(-3), ['In:  XX', 'Out: 500 5.5.2 Error: command not recognized', 'In:  RSET']);
  } finally {
    server.remove();
  }
});
