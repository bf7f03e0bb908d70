/** postscreen in front of the SMTP server, as master.cf has it. POSTSCREEN_README */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createTransport } from 'nodemailer';
import { QuickStart } from './support/quick-start.ts';

/** Puts postscreen where smtpd was, and smtpd behind it. */
function screen(server: QuickStart): void {
  const path = `${server.directory}/etc/master.cf`;
  const text = readFileSync(path, 'utf8');
  const screened = text.replace(
    /^(\S+\s+inet\s+n\s+-\s+\S+\s+-\s+)\S+\s+smtpd\b/m,
    'smtpd pass - - n - - smtpd\ndnsblog unix - - n - 0 dnsblog\ntlsproxy unix - - n - 0 tlsproxy\n$11 postscreen',
  );
  assert.notEqual(screened, text);
  writeFileSync(path, screened);
}

describe('a server behind postscreen', () => {
  let server: QuickStart;
  before(async () => {
    server = await QuickStart.start();
    await server.stop();
    screen(server);
    server.command('postconf', [
      '-e',
      'postscreen_access_list =',
      'postscreen_greet_wait = 1s',
      'postscreen_greet_action = enforce',
    ]);
    await server.start();
  });
  after(() => server.remove());

  it('gets the mail of a client that waits', async () => {
    const transport = createTransport({ host: '127.0.0.1', port: server.port, secure: false, ignoreTLS: true });
    for (const subject of ['new', 'old'])
      await transport.sendMail({ from: 'a@example.org', to: `screened@${server.domain}`, subject, text: 'body' });
    await server.arrived('screened', 2);
    await server.logged(/postfix\/postscreen\S* CONNECT from \[127\.0\.0\.1\]:\d+ to \[127\.0\.0\.1\]:\d+/);
    await server.logged(/postfix\/postscreen\S* PASS NEW \[127\.0\.0\.1\]/);
    await server.logged(/postfix\/postscreen\S* PASS OLD \[127\.0\.0\.1\]/);
    assert.match(
      server.command('postmap', ['-s', `${server.command('postconf', ['-hx', 'postscreen_cache_map']).trim()}`]),
      /^127\.0\.0\.1\t\d{10};1;1;1;1$/m,
    );
  });

  it('answers one that has closed its half of the connection', async () => {
    const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    let replies = '';
    socket.on('data', (bytes: Buffer) => {
      replies += bytes.toString('utf8');
    });
    await once(socket, 'data');
    socket.end('QUIT\r\n');
    await once(socket, 'end');
    assert.match(replies, /\r\n221 2\.0\.0 Bye\r\n$/);
  });

  it('never hears of one that does not', async () => {
    server.command('postmap', ['-d', '127.0.0.1', server.command('postconf', ['-hx', 'postscreen_cache_map']).trim()]);
    const socket = connect(server.port, '127.0.0.1');
    let replies = '';
    socket.on('data', (bytes: Buffer) => {
      replies += bytes.toString('utf8');
    });
    socket.write(`EHLO spam.example\r\nMAIL FROM:<s@spam.example>\r\nRCPT TO:<early@${server.domain}>\r\nDATA\r\n`);
    await once(socket, 'close');
    assert.match(replies, /\r\n550 5\.5\.1 Protocol error\r\n554 5\.5\.1 Error: no valid recipients\r\n$/);
    await server.logged(/PREGREET \d+ after \S+ from \[127\.0\.0\.1\]:\d+: EHLO spam\.example/);
    await server.logged(`550 5.5.1 Protocol error; from=<s@spam.example>, to=<early@${server.domain}>, proto=ESMTP`);
    assert.deepEqual(server.mailOf('early'), []);
  });
});
