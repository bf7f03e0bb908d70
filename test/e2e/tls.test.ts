/** TLS of the server, with nodemailer and by hand, against the quick start. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect as connectPlain, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { createTransport } from 'nodemailer';
import { freePort, QuickStart } from './support/quick-start.ts';
import { chain, Talk } from './support/talk.ts';

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
    const inside = plain.secure();
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
    const inside = plain.secure();
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

  it('executes nothing that came in the clear behind STARTTLS', async () => {
    const socket = connectPlain(server.port, '127.0.0.1');
    const plain = new Talk(socket);
    await plain.hear();
    await plain.say('HELO me');
    const text = 'STARTTLS\r\nMAIL FROM:<injected@example.org>\r\nRCPT TO:<injected@example.org>\r\n';
    socket.write(text);
    const reply = await plain.hear();
    if (reply.startsWith('220')) {
      const inside = plain.secure();
      assert.match(await inside.say('RCPT TO:<b@example.org>'), /^503 5\.5\.1 Error: need MAIL command/);
    } else assert.match(reply, /^554 5\.5\.0 Error: SMTP protocol synchronization/);
    socket.destroy();
    assert.doesNotMatch(server.output, /from=<injected@example\.org>/);
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

/** The bytes of a ClientHello, and what else a client says, behind a text in the clear: as a load balancer passes it on. */
class Prefixed extends Duplex {
  readonly #socket: Socket;
  #prefix: string;

  constructor(socket: Socket, prefix: string) {
    super();
    this.#socket = socket;
    this.#prefix = prefix;
    socket.on('data', (bytes: Buffer) => this.push(bytes));
    socket.on('error', () => undefined);
    socket.on('end', () => this.push(null));
  }

  override _read(): void {
    // what comes is pushed as it comes
  }

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    const prefix = this.#prefix;
    this.#prefix = '';
    this.#socket.write(Buffer.concat([Buffer.from(prefix), bytes]), done);
  }
}

describe('TLS before the greeting, behind a load balancer', () => {
  let server: QuickStart;
  before(async () => {
    server = await QuickStart.start([
      'smtpd_tls_wrappermode=yes',
      'smtpd_upstream_proxy_protocol=haproxy',
      `smtpd_tls_chain_files=${chain}`,
    ]);
  });
  after(() => server.remove());

  it('takes a handshake that comes with the header', async () => {
    const header = 'PROXY TCP4 192.0.2.9 192.0.2.1 4321 465\r\n';
    const socket = new Prefixed(connectPlain(server.port, '127.0.0.1'), header);
    const inside = new Talk(connectTls({ socket, rejectUnauthorized: false }));
    assert.match(await inside.hear(), /^220 /);
    assert.match(await inside.say('QUIT'), /^221 /);
    await server.logged(/disconnect from unknown\[192\.0\.2\.9\] quit=1 /);
  });
});

describe('a server that knows clients by their certificates', () => {
  const key = readFileSync(chain);
  let server: QuickStart;
  before(async () => {
    server = await QuickStart.start([
      'smtpd_tls_security_level=encrypt',
      `smtpd_tls_chain_files=${chain}`,
      `smtpd_tls_CAfile=${chain}`,
      'smtpd_tls_req_ccert=yes',
      'smtpd_tls_received_header=yes',
      'smtpd_tls_loglevel=1',
    ]);
  });
  after(() => server.remove());

  it('takes mail from one that it trusts, and says whom it came from', async () => {
    const transport = createTransport({
      host: '127.0.0.1',
      port: server.port,
      requireTLS: true,
      tls: { rejectUnauthorized: false, key, cert: key },
    });
    await transport.sendMail({ from: 'a@example.org', to: `known@${server.domain}`, subject: 'x', text: 'y' });
    const [message = ''] = await server.arrived('known');
    assert.match(
      message,
      /\n\t \S+-signature ECDSA \(prime256v1\) client-digest SHA256\)\n\t\(Client CN "mail\.example\.com", Issuer "mail\.example\.com" \(verified OK\)\)\n/,
    );
    await server.logged(/ Trusted TLS connection established from .* client-signature ECDSA \(prime256v1\)/);
  });

  it('sends one without a certificate away at its next command', async () => {
    const socket = connectPlain(server.port, '127.0.0.1');
    const plain = new Talk(socket);
    await plain.hear();
    assert.match(await plain.say('MAIL FROM:<a@example.org>'), /^530 5\.7\.0 Must issue a STARTTLS command first/);
    await plain.say('EHLO me');
    await plain.say('STARTTLS');
    const inside = plain.secure();
    assert.match(await inside.say('EHLO me'), /^421 4\.7\.1 \S+ Error: No client certificate presented/);
    await server.logged(/NOQUEUE: abort: TLS from \S+: No client certificate presented/);
  });
});
