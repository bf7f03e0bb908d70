/** postscreen in front of the SMTP server, as master.cf has it. POSTSCREEN_README */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createTransport } from 'nodemailer';
import { QuickStart } from './support/quick-start.ts';
import { chain, Talk } from './support/talk.ts';

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

/** A system with postscreen, by which nobody is known, and these settings. */
async function startScreened(...settings: readonly string[]): Promise<QuickStart> {
  const server = await QuickStart.start();
  await server.stop();
  screen(server);
  server.command('postconf', ['-e', 'postscreen_access_list =', 'postscreen_greet_wait = 1s', ...settings]);
  await server.start();
  return server;
}

describe('a server behind postscreen', () => {
  let server: QuickStart;
  before(async () => {
    server = await startScreened('postscreen_greet_action = enforce');
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

describe('postscreen with TLS', () => {
  let server: QuickStart;
  before(async () => {
    server = await startScreened(
      'postscreen_pipelining_enable = yes',
      'postscreen_tls_security_level = encrypt',
      `smtpd_tls_chain_files = ${chain}`,
      'smtpd_tls_loglevel = 1',
    );
  });
  after(() => server.remove());

  it('demands it of a client under test, which has to come again', async () => {
    const plain = new Talk(connect(server.port, '127.0.0.1'));
    await plain.hear();
    assert.match(await plain.say('EHLO me'), /^250.STARTTLS\r$/m);
    assert.equal(await plain.say('MAIL FROM:<a@example.org>'), '530 5.7.0 Must issue a STARTTLS command first\r\n');
    assert.equal(await plain.say('STARTTLS'), '220 2.0.0 Ready to start TLS\r\n');
    const inside = plain.secure();
    assert.doesNotMatch(await inside.say('EHLO me'), /STARTTLS/);
    assert.equal(await inside.say('STARTTLS'), '554 5.5.1 Error: TLS already active\r\n');
    await inside.say('MAIL FROM:<a@example.org>');
    const recipient = `RCPT TO:<later@${server.domain}>`;
    assert.equal(await inside.say(recipient), '450 4.3.2 Service currently unavailable\r\n');
    await inside.say('QUIT');
    await server.logged(/postfix\/tlsproxy\S* CONNECT from \[127\.0\.0\.1\]:\d+/);
    await server.logged(
      /postfix\/tlsproxy\S* Anonymous TLS connection established from \[127\.0\.0\.1\]:\d+: TLSv1\.3/,
    );
    await server.logged(/postfix\/tlsproxy\S* DISCONNECT \[127\.0\.0\.1\]:\d+/);
    const again = new Talk(connect(server.port, '127.0.0.1'));
    assert.match(await again.hear(), /^220 /);
    assert.match(await again.say('EHLO me'), /^250.PIPELINING\r$/m);
  });

  it('hears nothing of what was said in the clear behind STARTTLS', async () => {
    const cache = server.command('postconf', ['-hx', 'postscreen_cache_map']).trim();
    server.command('postmap', ['-d', '127.0.0.1', cache]);
    const socket = connect(server.port, '127.0.0.1');
    const plain = new Talk(socket);
    await plain.hear();
    await plain.say('EHLO me');
    socket.write('STARTTLS\r\nEHLO injected\r\n');
    assert.equal(await plain.hear(), '220 2.0.0 Ready to start TLS\r\n');
    const inside = plain.secure();
    assert.match(await inside.say('RCPT TO:<a@example.org>'), /^503 5\.5\.1 /);
    await server.logged(/COMMAND PIPELINING from \[127\.0\.0\.1\]:\d+ after STARTTLS: EHLO injected/);
  });
});
