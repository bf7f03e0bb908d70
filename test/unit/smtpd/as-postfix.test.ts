import assert from 'node:assert/strict';
import { it } from 'node:test';
import { TestServer } from './conversation.ts';

it('what is wrong with a command is found in the order of Postfix', async () => {
  const server = new TestServer({
    mainCf:
      'strict_smtputf8 = yes\nmessage_size_limit = 1000\nmailbox_size_limit = 0\nsmtpd_recipient_limit = 1\nsmtpd_delay_reject = no',
    verdict: (stage) =>
      stage === 'mail'
        ? { kind: 'reject', reply: '554 5.7.1 no', hangsUp: false, actions: [] }
        : { kind: 'accept', actions: [] },
  });
  const open = new TestServer({ mainCf: 'strict_smtputf8 = yes\nsmtpd_recipient_limit = 1' });
  try {
    const mail = 'MAIL FROM:<ü@s.example>';
    const replies = [
      ...(await server.talk('HELO c', `${mail} SIZE=2000 X`, `${mail} SIZE=2000`, `${mail} SIZE=1`)),
      ...(await open.talk('HELO c', mail, 'MAIL FROM:<>', 'RCPT TO:<ü@r.example>')),
      ...(await open.talk('RCPT TO:<a@r.example>', 'MAIL FROM:<>', 'RCPT TO:<a@r.example>', 'RCPT TO:<ü@r.example>')),
      ...(await open.talk('VRFY ü@r.example', 'VRFY ü@r.example SMTPUTF8', 'VRFY SMTPUTF8')),
    ];
    const codes = replies.map((reply) => reply.slice(0, 9));
    assert.equal(
      codes.join(', '),
      '250 mail., 555 5.5.4, 552 5.3.4, 554 5.7.1, 250 mail., 553 5.6.7, 250 2.1.0, 553 5.6.7, ' +
        '503 5.5.1, 250 2.1.0, 250 2.1.5, 452 4.5.3, 553 5.6.7, 252 2.0.0, 501 5.5.4',
    );
  } finally {
    server.remove();
    open.remove();
  }
});

it('a message that is too large is refused as softly in the log as in the reply', async () => {
  const server = new TestServer({ mainCf: 'soft_bounce = yes\nmessage_size_limit = 1000\nmailbox_size_limit = 0' });
  try {
    const [, reply] = await server.talk('HELO c', 'MAIL FROM:<> SIZE=2000');
    assert.equal(reply, '452 4.3.4 Message size exceeds fixed limit');
    assert.ok(server.log.some((line) => line.includes('452 4.3.4 Message size exceeds fixed limit; from=<> proto')));
  } finally {
    server.remove();
  }
});

it('a chunk that is too large is warned of', async () => {
  const server = new TestServer({ mainCf: 'message_size_limit = 1000\nmailbox_size_limit = 0' });
  try {
    const replies = await server.talk(
      'EHLO c',
      'MAIL FROM:<>',
      'RCPT TO:<a@b.example>',
      `BDAT 2000\r\n${'x'.repeat(1998)}`,
    );
    assert.equal(replies[3], '552 5.3.4 Chunk exceeds message size limit');
    assert.ok(server.log.includes('warning: Q1: BDAT request from unknown[192.0.2.1] exceeds message size limit'));
  } finally {
    server.remove();
  }
});

it('first lines of DATA that are no header are mended, those of BDAT are not', async () => {
  const server = new TestServer();
  try {
    const lines = 'From me Mon\r\nSubject: x\r\n';
    const mail = ['MAIL FROM:<>', 'RCPT TO:<a@b.example>'];
    await server.talk(
      'EHLO c',
      ...mail,
      'DATA',
      `${lines}.`,
      ...mail,
      `BDAT ${lines.length} LAST\r\n${lines.slice(0, -2)}`,
    );
    assert.deepEqual(
      server.messages.map(({ content }) => content),
      ['X-Mailbox-Line: From me Mon\r\nSubject: x\r\n', lines],
    );
  } finally {
    server.remove();
  }
});
