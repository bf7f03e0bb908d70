import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { TestServer } from './conversation.ts';

describe('what XCLIENT and XFORWARD say beside a bad attribute', () => {
  let server = new TestServer();
  const serve = (mainCf: string): TestServer => {
    server.remove();
    server = new TestServer({ mainCf });
    return server;
  };
  afterEach(() => server.remove());

  it('counts as far as it was said', async () => {
    serve('smtpd_authorized_xclient_hosts = 192.0.2.1');
    const replies = await server.talk(
      'XCLIENT HELO=h.example LOGIN=bob FOO=bar ADDR=198.51.100.7',
      'MAIL FROM:<>',
      'RCPT TO:<a@y.example>',
    );
    assert.deepEqual(replies, ['501 5.5.4 Bad XCLIENT attribute name: FOO', '250 2.1.0 Ok', '250 2.1.5 Ok']);
    assert.ok(server.log.includes('Q1: client=unknown[192.0.2.1], sasl_method=XCLIENT, sasl_username=bob'));
  });

  it('is told by the next command that is good', async () => {
    serve('smtpd_authorized_xforward_hosts = 192.0.2.1');
    const mail = ['MAIL FROM:<>', 'RCPT TO:<a@y.example>', 'RSET'];
    const bad = 'XFORWARD NAME=o.example ADDR=198.51.100.7 PORT=x';
    await server.talk('EHLO c', bad, ...mail, bad, 'XFORWARD HELO=h', ...mail);
    const origins = server.log.filter((line) => line.includes('client='));
    assert.deepEqual(origins, [
      'Q1: client=unknown[192.0.2.1]',
      'Q2: client=unknown[192.0.2.1], orig_client=o.example[198.51.100.7]',
    ]);
  });
});

it('commands that come with XCLIENT are out of step with it', async () => {
  const server = new TestServer({ mainCf: 'smtpd_authorized_xclient_hosts = 192.0.2.1' });
  try {
    await server.talk('EHLO c', 'XCLIENT NAME=x.example\r\nEHLO c');
    assert.ok(
      server.log.includes(String.raw`improper command pipelining after XCLIENT from x.example[192.0.2.1]: EHLO c\r\n`),
    );
  } finally {
    server.remove();
  }
});
