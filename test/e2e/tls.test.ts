/** TLS of the server, with nodemailer and by hand, against the quick start. */
import assert from 'node:assert/strict';
import { connect as connectPlain, createServer } from 'node:net';
import { dirname, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { createTransport } from 'nodemailer';
import { freePort, QuickStart, until } from './support/quick-start.ts';

const chain = resolve(dirname(fileURLToPath(import.meta.url)), 'support/test-only-key-and-certificate.pem');

/** Says one line at a time. */
class Talk {
  readonly #stream: Duplex;
  #heard = '';

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('error', () => undefined);
    stream.on('data', (bytes: Buffer) => {
      this.#heard += bytes.toString();
    });
  }

  /** The next reply, whole. */
  async hear(): Promise<string> {
    const reply = await until('a reply', () => /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.#heard)?.[0]);
    this.#heard = this.#heard.slice(reply.length);
    return reply;
  }

  say(line: string): Promise<string> {
    this.#stream.write(`${line}\r\n`);
    return this.hear();
  }
}

describe('TLS of the SMTP server', () => {
  let server: QuickStart;
  let mailSeen = 0;
  // a server without TLS
  const plainServer = createServer((socket) => {
    socket.write('220 plain.test ESMTP\r\n');
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      if (bytes.toString().startsWith('MAIL')) mailSeen += 1;
      socket.write(bytes.toString().startsWith('QUIT') ? '221 bye\r\n' : '250 plain.test\r\n');
    });
  });
  before(async () => {
    const plainPort = await freePort();
    plainServer.listen(plainPort, '127.0.0.1');
    server = await QuickStart.start([
      'smtpd_tls_security_level=may',
      `smtpd_tls_chain_files=${chain}`,
      'smtpd_tls_loglevel=1',
      'smtpd_tls_received_header=yes',
      `transport_maps=inline:{enforced.test=smtp:[127.0.0.1]:${plainPort}}`,
      'smtp_requiretls_policy=enforce',
    ]);
  });
  after(async () => {
    plainServer.close();
    await server.remove();
  });

  it('takes mail after STARTTLS, and says so', async () => {
    const transport = createTransport({
      host: '127.0.0.1',
      port: server.port,
      requireTLS: true,
      tls: { rejectUnauthorized: false },
    });
    await transport.sendMail({
      from: 'a@example.org',
      to: `tls@${server.domain}`,
      subject: 'secret',
      text: 'x'.repeat(100_000),
    });
    const [message = ''] = await server.arrived('tls');
    assert.match(
      message,
      /\n\t\(using TLSv1\.3 with cipher TLS_AES_256_GCM_SHA384 \(256\/256 bits\)\n\t key-exchange X25519 /,
    );
    assert.match(message, / with ESMTPS id /);
    await server.logged(/Anonymous TLS connection established from .*: TLSv1\.3 with cipher TLS_AES_256_GCM_SHA384/);
    await server.logged(/disconnect from .* starttls=1 /);
  });

  it('begins anew after STARTTLS: what was said before does not count', async () => {
    const socket = connectPlain(server.port, '127.0.0.1');
    const plain = new Talk(socket);
    await plain.hear();
    assert.match(await plain.say('EHLO me'), /^250.STARTTLS/m);
    await plain.say('MAIL FROM:<a@example.org>');
    assert.equal(await plain.say('STARTTLS'), '220 2.0.0 Ready to start TLS\r\n');
    socket.removeAllListeners('data');
    const inside = new Talk(connectTls({ socket, rejectUnauthorized: false }));
    assert.match(await inside.say('RCPT TO:<b@example.org>'), /^503 5\.5\.1 Error: need MAIL command/);
    assert.doesNotMatch(await inside.say('EHLO me'), /STARTTLS/);
    assert.equal(await inside.say('STARTTLS'), '554 5.5.1 Error: TLS already active\r\n');
    assert.match(await inside.say('QUIT'), /^221 /);
  });

  it('keeps REQUIRETLS with the message, and returns it rather than send it in plaintext', async () => {
    const socket = connectPlain(server.port, '127.0.0.1');
    const plain = new Talk(socket);
    await plain.hear();
    assert.doesNotMatch(await plain.say('EHLO me'), /REQUIRETLS/);
    assert.match(
      await plain.say('MAIL FROM:<a@example.org> REQUIRETLS'),
      /^555 5\.5\.4 Unsupported option: REQUIRETLS/,
    );
    await plain.say('STARTTLS');
    socket.removeAllListeners('data');
    const inside = new Talk(connectTls({ socket, rejectUnauthorized: false }));
    assert.match(await inside.say('EHLO me'), /^250 REQUIRETLS\r$/m);
    assert.match(await inside.say(`MAIL FROM:<sender@${server.domain}> REQUIRETLS`), /^250 /);
    assert.match(await inside.say(`RCPT TO:<kept@${server.domain}>`), /^250 /);
    assert.match(await inside.say('RCPT TO:<away@enforced.test>'), /^250 /);
    await inside.say('DATA');
    assert.match(await inside.say('Subject: secret\r\n\r\nfor nobody else\r\n.'), /^250 /);
    await inside.say('QUIT');
    const [kept = ''] = await server.arrived('kept');
    assert.match(kept, /\nRequire-TLS-ESMTP: yes\n/);
    const [notice = ''] = await server.arrived('sender');
    assert.match(notice, /\nStatus: 5\.7\.30\n/);
    assert.doesNotMatch(notice, /for nobody else/);
    assert.match(notice, /\nSubject: secret\n/);
    assert.equal(mailSeen, 0);
  });

  it('ends a session whose handshake is none', async () => {
    const socket = connectPlain(server.port, '127.0.0.1');
    const plain = new Talk(socket);
    await plain.hear();
    await plain.say('EHLO me');
    await plain.say('STARTTLS');
    socket.write('MAIL FROM:<a@example.org>\r\n');
    await new Promise((done) => socket.once('close', done));
    await server.logged(/SSL_accept error from .*: -1/);
    await server.logged(/lost connection after STARTTLS from /);
  });
});
