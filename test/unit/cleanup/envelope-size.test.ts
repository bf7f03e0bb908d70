import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Envelope, internalEnvelope } from '#message';
import { envelopeBytes, recipientBytes } from '../../../src/cleanup/envelope-size.ts';
import { Workbench } from './workbench.ts';

describe('the size of an envelope', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());

  it('is that of the records Postfix would write', () => {
    const client = {
      name: 'localhost',
      reverseName: 'localhost',
      address: '127.0.0.1',
      port: '39294',
      heloName: 'c.example.net',
      protocol: 'ESMTP',
      serverAddress: '127.0.0.1',
      serverPort: '25',
    };
    const envelope: Omit<Envelope, 'messageId'> = {
      ...internalEnvelope('a@example.net', 0, 'mail'),
      rewriteContext: 'local',
      client,
      logClient: client,
    };
    const alice = 'alice@example.com';
    const recipient = { address: alice, original: alice, dsnOriginal: `rfc822;${alice}`, notify: [] };
    // as postcat -o has shown it: content from 666 on, and four bytes behind it
    assert.equal(envelopeBytes(envelope, 'EEDF021A3F1', 'a@example.net') + recipientBytes(recipient), 666 + 4);
  });

  it('counts against message_size_limit', async () => {
    const content = 'Message-ID: <1@x>\r\nFrom: a@b\r\nDate: x\r\n\r\nx\r\n';
    const limit = (bytes: number): string => `message_size_limit = ${bytes}\nmailbox_size_limit = 0\n`;
    assert.equal((await bench.take(limit(1000), { content })).reply, 'queued');
    assert.equal((await bench.take(limit(200), { content })).reply, '552 5.3.4 message file too big');
    const recipients = Array.from({ length: 9 }, (_, number) => `${'r'.repeat(50)}${number}@example.com`);
    const { reply, log } = await bench.take(limit(1000), { content, recipients });
    assert.equal(reply, '552 5.3.4 message file too big');
    assert.ok(log.includes('warning: ABC: queue file size limit exceeded'));
  });
});
