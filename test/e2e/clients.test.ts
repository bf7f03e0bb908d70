/** Real clients, against the quick start. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createTransport } from 'nodemailer';
import { missing, QuickStart, until } from './support/quick-start.ts';

describe('clients', () => {
  let server: QuickStart;
  before(async () => {
    server = await QuickStart.start();
  });
  after(() => server.remove());

  it('swaks delivers to a Maildir', { skip: missing('swaks') }, async () => {
    const to = `swaks@${server.domain}`;
    const ran = spawnSync(
      'swaks',
      [
        '--server',
        '127.0.0.1',
        '--port',
        String(server.port),
        '--from',
        'a@example.org',
        '--to',
        to,
        '--body',
        'by swaks',
      ],
      { encoding: 'utf8', timeout: 30_000 },
    );
    assert.equal(ran.status, 0, ran.stdout + ran.stderr);
    const [message = ''] = await server.arrived('swaks');
    assert.match(
      message,
      new RegExp(`^Return-Path: <a@example\\.org>\\nX-Original-To: ${to}\\nDelivered-To: ${to}\\n`),
    );
    assert.match(message, /\nby swaks\n/);
    await server.logged(/to=<swaks@[^>]*>, relay=virtual, .*status=sent \(delivered to maildir\)/);
  });

  it('curl sends a file', { skip: missing('curl') }, async () => {
    const file = `${server.directory}/message`;
    writeFileSync(file, 'Subject: by curl\r\n\r\n.a line with a dot\r\n..\r\n');
    const ran = spawnSync(
      'curl',
      ['-sS', '--max-time', '20', '--mail-from', 'a@example.org', '--mail-rcpt', `curl@${server.domain}`].concat(
        '--upload-file',
        file,
        `smtp://127.0.0.1:${server.port}`,
      ),
      { encoding: 'utf8', timeout: 30_000 },
    );
    assert.equal(ran.status, 0, ran.stderr);
    const [message = ''] = await server.arrived('curl');
    assert.ok(message.endsWith('\n\n.a line with a dot\n..\n'), message);
  });

  it('msmtp takes the recipients from the header', { skip: missing('msmtp') }, async () => {
    const ran = spawnSync(
      'msmtp',
      ['--host=127.0.0.1', `--port=${server.port}`, '--from=a@example.org', '--tls=off', '--auth=off', '-t'],
      { input: `To: msmtp@${server.domain}\nSubject: by msmtp\n\nbody\n`, encoding: 'utf8', timeout: 30_000 },
    );
    assert.equal(ran.status, 0, ran.stderr);
    const [message = ''] = await server.arrived('msmtp');
    assert.match(message, /^Subject: by msmtp$/m);
  });

  it('nodemailer sends text beyond ASCII, an attachment, several recipients, and asks for a notice', async () => {
    const transport = createTransport({
      host: '127.0.0.1',
      port: server.port,
      secure: false,
      ignoreTLS: true,
      pool: true,
    });
    await transport.sendMail({
      from: `sender@${server.domain}`,
      to: [`one@${server.domain}`, `two@${server.domain}`],
      subject: 'Grüße',
      text: 'Zeile\n.\nmit Umlauten: äöü',
      attachments: [{ filename: 'a.bin', content: Buffer.alloc(300_000, 7) }],
      dsn: {
        id: 'envelope-1',
        return: 'headers',
        notify: ['success', 'failure'],
        recipient: `sender@${server.domain}`,
      },
    });
    await server.arrived('one');
    const [message = ''] = await server.arrived('two');
    assert.match(message, /^Subject: =\?UTF-8\?/m);
    assert.ok(message.length > 400_000);
    const [notice = ''] = await server.arrived('sender');
    assert.match(notice, /^Subject: Successful Mail Delivery Report$/m);
    assert.match(notice, /^Original-Envelope-Id: envelope-1$/m);
    assert.match(notice, /^Action: delivered$/m);
    transport.close();
  });

  it('takes an internationalised address and BDAT', async () => {
    const socket = connect(server.port, '127.0.0.1');
    let replies = '';
    socket.on('data', (chunk: Buffer) => {
      replies += chunk.toString('utf8');
    });
    const said = (count: number): Promise<true> =>
      until(`${count} replies`, () => ((replies.match(/^\d{3} /gm)?.length ?? 0) >= count ? true : undefined));
    await said(1);
    socket.write('EHLO client.example.org\r\n');
    await said(2);
    assert.match(replies, /250-SMTPUTF8\r\n/);
    assert.match(replies, /250[ -]CHUNKING\r\n/);
    const body = 'Subject: grün\r\n\r\nchunked\r\n';
    const size = Buffer.byteLength(body);
    socket.write(
      `MAIL FROM:<jürgen@example.org> SMTPUTF8 BODY=8BITMIME\r\nRCPT TO:<utf8@${server.domain}>\r\n` +
        `BDAT ${size}\r\n${body}BDAT 0 LAST\r\n`,
    );
    await said(6);
    socket.end('QUIT\r\n');
    const [message = ''] = await server.arrived('utf8');
    assert.match(message, /^Return-Path: <jürgen@example\.org>$/m);
    assert.match(message, /with UTF8SMTP id/);
  });

  it('relays nothing for strangers', async () => {
    const strict = await QuickStart.start(['mynetworks =']);
    const transport = createTransport({ host: '127.0.0.1', port: strict.port, secure: false, ignoreTLS: true });
    try {
      await assert.rejects(
        transport.sendMail({ from: 'a@example.org', to: 'x@elsewhere.example', text: 'x' }),
        /454 4\.7\.1 <x@elsewhere\.example>: Relay access denied/,
      );
    } finally {
      transport.close();
      await strict.remove();
    }
  });
});
