import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type MailEvent, renderPostfixText } from '#events';

describe('addresses in the log', () => {
  const active: MailEvent = {
    kind: 'active',
    queueId: 'ID',
    sender: 'a b@example.com',
    sizeBytes: 1,
    recipientCount: 1,
  };

  it('are quoted as in SMTP', () => {
    assert.equal(renderPostfixText(active), 'ID: from=<"a b"@example.com>, size=1, nrcpt=1 (queue active)');
  });

  it('are shown as they are with info_log_address_format = internal', () => {
    assert.equal(renderPostfixText(active, 'internal'), 'ID: from=<a b@example.com>, size=1, nrcpt=1 (queue active)');
    const delivery: MailEvent = {
      kind: 'delivery',
      queueId: 'ID',
      recipient: 'c d@example.com',
      original: 'e f@example.com',
      relay: 'none',
      times: [0, 0, 0, 0, 0],
      code: '2.0.0',
      outcome: 'sent',
      text: 'ok',
    };
    assert.match(renderPostfixText(delivery, 'internal'), /^ID: to=<c d@example\.com>, orig_to=<e f@example\.com>, /);
    assert.match(renderPostfixText(delivery), /^ID: to=<"c d"@example\.com>, orig_to=<"e f"@example\.com>, /);
  });
});
