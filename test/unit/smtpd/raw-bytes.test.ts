import assert from 'node:assert/strict';
import { it } from 'node:test';
import { bytesOf } from '#message';
import { TestServer } from './conversation.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

it('addresses of other character sets keep their bytes where there is no SMTPUTF8', async () => {
  const server = new TestServer({ mainCf: 'smtputf8_enable = no' });
  try {
    const replies = await server.talk(
      'EHLO c',
      'MAIL FROM:<a@example.net>',
      latin1('RCPT TO:<j\xfcrg@example.com>'),
      latin1('RCPT TO:<j\xf6rg@example.com>'),
    );
    assert.deepEqual(replies.slice(2), ['250 2.1.5 Ok', '250 2.1.5 Ok']);
    const recipients = server.messages[0]?.recipients.map((recipient) => bytesOf(recipient).toString('latin1'));
    assert.deepEqual(recipients, ['j\xfcrg@example.com', 'j\xf6rg@example.com']);
  } finally {
    server.remove();
  }
});

it('with SMTPUTF8 no command may hold bytes that are no UTF-8, wherever they stand', async () => {
  const server = new TestServer();
  try {
    const replies = await server.talk(
      'EHLO c',
      'MAIL FROM:<a@example.net>',
      Buffer.concat([Buffer.from('RCPT TO:<\ufffd'), latin1('j\xfcrg@example.com>')]),
      latin1('RCPT TO:<info@example.com>\0\xfc'),
      'RCPT TO:<info@example.com>\0',
    );
    assert.deepEqual(replies.slice(2), [
      '500 5.5.2 Error: bad UTF-8 syntax',
      '500 5.5.2 Error: bad UTF-8 syntax',
      '250 2.1.5 Ok',
    ]);
  } finally {
    server.remove();
  }
});
