/** Clients that log in, against the quick start and a login server of Dovecot's protocol. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createTransport } from 'nodemailer';
import { LoginServer, plain } from './support/login-server.ts';
import { freePort, QuickStart, until } from './support/quick-start.ts';
import { SmtpTalk } from './support/smtp-talk.ts';

describe('logins', () => {
  let server: QuickStart;
  let logins: LoginServer;
  before(async () => {
    server = await QuickStart.start();
    const port = await freePort();
    logins = new LoginServer(port);
    await logins.start();
    await server.stop();
    server.command('postconf', [
      '-e',
      'mynetworks=192.0.2.0/24',
      'smtpd_sasl_type=dovecot',
      `smtpd_sasl_path=inet:127.0.0.1:${port}`,
      'smtpd_sasl_auth_enable=yes',
      'smtpd_sasl_authenticated_header=yes',
      'smtpd_sender_login_maps=inline:{ {joe@example.org=joe, ann} {@owned.example=ann} }',
      'smtpd_sender_restrictions=check_sasl_access inline:{ {bad=REJECT go away} }, reject_known_sender_login_mismatch',
    ]);
    await server.start();
  });
  after(async () => {
    await server.remove();
    await logins.stop();
  });

  const talk = async (test: (say: (line: string) => Promise<string>) => Promise<void>): Promise<void> => {
    const client = await SmtpTalk.open(server.port);
    await client.say('EHLO me');
    try {
      await test((line) => client.say(line));
    } finally {
      client.close();
    }
  };

  it('let mail in, and are told of in its trace and in the log', async () => {
    const transport = createTransport({
      host: '127.0.0.1',
      port: server.port,
      ignoreTLS: true,
      auth: { user: 'joe', pass: 'secret' },
    });
    await transport.sendMail({ from: 'joe@example.org', to: `joe@${server.domain}`, subject: 'x', text: 'y' });
    const [message = ''] = await server.arrived('joe');
    assert.match(message, /\n\t\(Authenticated sender: joe\)\n\tby .* with ESMTPA id /);
    await server.logged(/: client=\S+, sasl_method=PLAIN, sasl_username=joe$/m);
    assert.match(logins.heard.join('\n'), /\tPLAIN\tservice=smtp\tnologin\tlip=127\.0\.0\.1\trip=127\.0\.0\.1\tresp=/);
  });

  it('are wanted for addresses that have an owner, who alone may use them', async () => {
    await talk(async (say) => {
      await say('MAIL FROM:<joe@example.org>');
      const others = `RCPT TO:<x@${server.domain}>`;
      assert.equal(await say(others), '553 5.7.1 <joe@example.org>: Sender address rejected: not logged in');
      await say('RSET');
      assert.equal(await say(`AUTH PLAIN ${plain('joe')}`), '235 2.7.0 Authentication successful');
      await say('MAIL FROM:<x@owned.example> AUTH=y+2Bz@here');
      assert.match(await say(others), /^553 5\.7\.1 <x@owned\.example>: .*: not owned by user joe$/);
      await say('RSET');
      await say('MAIL FROM:<joe@example.org> AUTH=y+2Bz@here');
      assert.match(await say(others), /^250 /);
    });
    await server.logged(
      /not owned by user joe; .* helo=<me> sasl_method=PLAIN sasl_username=joe sasl_sender=y\+2Bz@here$/m,
    );
    await server.logged(/, sasl_method=PLAIN, sasl_username=joe, sasl_sender=y\+2Bz@here$/m);
  });

  it('have tables of their own', async () => {
    await talk(async (say) => {
      await say(`AUTH PLAIN ${plain('bad')}`);
      await say('MAIL FROM:<a@b.example>');
      assert.equal(await say(`RCPT TO:<x@${server.domain}>`), '554 5.7.1 <bad>: SASL login name rejected: go away');
    });
  });

  it('take as many steps as the mechanism has, and can be given up', async () => {
    await talk(async (say) => {
      assert.equal(await say('AUTH login'), '334 VXNlcm5hbWU6');
      assert.equal(await say('*'), '501 5.7.0 Authentication aborted');
      assert.equal(await say('AUTH LOGIN'), '334 VXNlcm5hbWU6');
      assert.equal(await say('am9l'), '334 UGFzc3dvcmQ6');
      assert.equal(await say('d3Jvbmc='), '535 5.7.8 Error: authentication failed: no such password');
      assert.equal(await say(`AUTH PLAIN ${plain('joe')}`), '235 2.7.0 Authentication successful');
      assert.equal(await say('AUTH LOGIN'), '503 5.5.1 Error: already authenticated');
    });
    await server.logged(/: SASL login authentication aborted$/m);
    await server.logged(/: SASL LOGIN authentication failed: no such password, sasl_username=joe$/m);
  });

  it('fail for now while the login server dies or says nonsense, and work again after it', async () => {
    await talk(async (say) => {
      logins.mood = 'dies';
      const lost = '454 4.7.0 Temporary authentication failure: Connection lost to authentication server';
      assert.equal(await say(`AUTH PLAIN ${plain('joe')}`), lost);
      logins.mood = 'mad';
      assert.equal(
        await say(`AUTH PLAIN ${plain('joe')}`),
        '535 5.7.8 Error: authentication failed: Authentication backend error',
      );
      logins.mood = 'well';
      assert.match(await say(`AUTH PLAIN ${plain('joe')}`), /^235 /);
    });
    await server.logged('warning: missing Dovecot server OK username field');
  });

  it('are not for sessions that find no login server, until there is one again', async () => {
    await logins.stop();
    await until('a session that ends at once', async () => {
      const client = await SmtpTalk.open(server.port);
      const reply = await client.say('EHLO me');
      client.close();
      return reply === 'closed' ? true : undefined;
    });
    await server.logged(/SASL: Connect to Dovecot auth socket 'inet:.*' failed: Connection refused/);
    await server.logged('fatal: no SASL authentication mechanisms');
    await logins.start();
    await talk(async (say) => assert.match(await say(`AUTH PLAIN ${plain('joe')}`), /^235 /));
  });
});
