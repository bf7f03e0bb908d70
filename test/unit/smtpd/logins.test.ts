import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { dovecotWords, type LoginServer, type Mechanism, type Offer, type SaslRequest, type SaslStep } from '#sasl';
import { type Setup, TestServer } from './conversation.ts';

/** Knows who gives `Z29vZA==`; everybody else is refused. */
class FakeLogins implements LoginServer {
  readonly words = dovecotWords;
  readonly asked: SaslRequest[] = [];
  readonly abandoned: string[] = [];
  user = 'joe';
  offered: Offer = {
    kind: 'mechanisms',
    mechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5'].map((name): Mechanism => ({
      name,
      traits: new Set(name === 'CRAM-MD5' ? ['noplaintext'] : ['noactive']),
    })),
  };

  offer(): Promise<Offer> {
    return Promise.resolve(this.offered);
  }

  open(request: SaslRequest): ReturnType<LoginServer['open']> {
    this.asked.push(request);
    const judge = async (response: string): Promise<SaslStep> =>
      response === 'Z29vZA=='
        ? { kind: 'authenticated', user: this.user }
        : { kind: 'refused', reason: '', isTemporary: false, verdict: { user: 'joe' } };
    const { initialResponse, mechanism } = request;
    return {
      start: () =>
        initialResponse === undefined ? Promise.resolve({ kind: 'challenge', text: '' }) : judge(initialResponse),
      answer: judge,
      abandon: () => void this.abandoned.push(mechanism),
    };
  }
}

describe('AUTH', () => {
  const servers: TestServer[] = [];
  const start = (mainCf = ''): { readonly server: TestServer; readonly logins: FakeLogins } => {
    const logins = new FakeLogins();
    const server = new TestServer({ mainCf: `smtpd_sasl_security_options =\n${mainCf}`, logins });
    servers.push(server);
    return { server, logins };
  };
  afterEach(() => {
    for (const server of servers.splice(0)) server.remove();
  });
  const announced = (reply: string | undefined): readonly string[] =>
    reply?.split(' | ').filter((line) => line.includes('AUTH')) ?? [];

  it('is announced again after a login, in the old form too if that is wanted', async () => {
    const { server } = start('broken_sasl_auth_clients = yes');
    const replies = await server.talk('EHLO me', 'AUTH PLAIN Z29vZA==', 'EHLO me');
    assert.deepEqual(announced(replies[0]), ['250-AUTH PLAIN LOGIN CRAM-MD5', '250-AUTH=PLAIN LOGIN CRAM-MD5']);
    assert.equal(replies[2], replies[0]);
  });

  it('is kept from some networks, and works for them', async () => {
    const { server } = start('smtpd_sasl_exceptions_networks = 192.0.2.0/24');
    const replies = await server.talk('EHLO me', 'AUTH PLAIN Z29vZA==');
    assert.deepEqual(announced(replies[0]), []);
    assert.match(replies[1] ?? '', /^235 /);
  });

  it('takes any mechanism that is strong enough, whatever the filter lets EHLO say', async () => {
    const { server } = start('smtpd_sasl_mechanism_filter = !login, static:rest');
    const filtered = await server.talk('EHLO me', 'AUTH LOGIN', 'Z29vZA==');
    assert.deepEqual(announced(filtered[0]), ['250-AUTH PLAIN CRAM-MD5']);
    assert.deepEqual(filtered.slice(1), ['334', '235 2.7.0 Authentication successful']);
    const { server: strict } = start('smtpd_sasl_security_options = noplaintext');
    const refused = await strict.talk('EHLO me', 'AUTH PLAIN Z29vZA==');
    assert.deepEqual(announced(refused[0]), ['250-AUTH CRAM-MD5']);
    assert.equal(refused[1], "535 5.7.8 Error: authentication failed: Invalid authentication mechanism: 'PLAIN'");
  });

  it('ends where the filter leaves nothing', async () => {
    const { server } = start('smtpd_sasl_mechanism_filter = !static:all');
    await server.talk('NOOP');
    assert.ok(
      server.log.some((line) => line.startsWith('fatal: smtpd_sasl_mechanism_filter discards all mechanisms in ')),
    );
  });

  it('needs TLS where main.cf says so, and no greeting', async () => {
    const { server } = start('smtpd_tls_auth_only = yes');
    assert.deepEqual(await server.talk('AUTH PLAIN Z29vZA=='), ['503 5.5.1 Error: authentication not enabled']);
    const { server: open } = start();
    assert.deepEqual(await open.talk('AUTH PLAIN Z29vZA=='), ['235 2.7.0 Authentication successful']);
  });

  it('counts as possible for restrictions before TLS too, where it needs TLS', async () => {
    const told: (boolean | undefined)[] = [];
    const verdict: NonNullable<Setup['verdict']> = (_stage, _recipient, { canLogIn }) => {
      told.push(canLogIn);
      return { kind: 'accept', actions: [] };
    };
    for (const setup of [{ logins: new FakeLogins() }, {}]) {
      const server = new TestServer({ ...setup, mainCf: 'smtpd_tls_auth_only = yes', verdict });
      servers.push(server);
      await server.talk('EHLO me', 'MAIL FROM:<a@b.example>', 'RCPT TO:<x@y.example>');
    }
    assert.deepEqual(told, [true, false]);
  });

  it('takes a response longer than a command, up to its own limit', async () => {
    const { server, logins } = start();
    const [, fits, , tooLong, noop] = await server.talk(
      'AUTH PLAIN',
      'A'.repeat(12287),
      'AUTH LOGIN',
      'B'.repeat(12288),
      'NOOP',
    );
    assert.equal(fits, '535 5.7.8 Error: authentication failed: (reason unavailable)');
    assert.equal(tooLong, '500 5.5.6 SASL response limit exceeded');
    assert.equal(noop, '250 2.0.0 Ok');
    assert.deepEqual(logins.abandoned, ['LOGIN']);
    assert.ok(server.log.includes(`warning: unknown[192.0.2.1]: request longer than 12288: ${'B'.repeat(30)}...`));
  });

  it('says in the log of whom the login server spoke last', async () => {
    const { server } = start();
    await server.talk('AUTH plain', '*', 'AUTH FOO', 'AUTH PLAIN YmFk', 'AUTH FOO');
    assert.deepEqual(
      server.log.filter((line) => line.startsWith('warning')),
      [
        'warning: unknown[192.0.2.1]: SASL plain authentication aborted',
        "warning: unknown[192.0.2.1]: SASL FOO authentication failed: Invalid authentication mechanism: 'FOO', sasl_username=(unavailable)",
        'warning: unknown[192.0.2.1]: SASL PLAIN authentication failed: (reason unavailable), sasl_username=joe',
        "warning: unknown[192.0.2.1]: SASL FOO authentication failed: Invalid authentication mechanism: 'FOO', sasl_username=joe",
      ],
    );
  });

  it('is forgotten at XCLIENT, which may bring another login', async () => {
    const { server } = start('smtpd_authorized_xclient_hosts = 192.0.2.1');
    const replies = await server.talk(
      'AUTH PLAIN Z29vZA==',
      'XCLIENT NAME=a.example',
      'AUTH PLAIN Z29vZA==',
      'XCLIENT LOGIN=ann',
      'AUTH PLAIN Z29vZA==',
      'MAIL FROM:<a@b.example>',
      'RCPT TO:<b@b.example>',
    );
    assert.match(replies[2] ?? '', /^235 /);
    assert.equal(replies[4], '503 5.5.1 Error: already authenticated');
    assert.ok(server.log.some((line) => line.endsWith('sasl_method=XCLIENT, sasl_username=ann')));
  });

  it('is counted, but not that of a server others speak through', async () => {
    const { server } = start('smtpd_client_auth_rate_limit = 1\nsmtpd_client_event_limit_exceptions =');
    const replies = await server.talk('AUTH', 'AUTH');
    assert.deepEqual(replies, [
      '501 5.5.4 Syntax: AUTH mechanism',
      '450 4.7.1 Error: too many AUTH commands from 192.0.2.1',
    ]);
    const { server: proxy } = start(
      'smtpd_client_auth_rate_limit = 1\nsmtpd_client_event_limit_exceptions =\nsmtpd_authorized_xclient_hosts = 192.0.2.1',
    );
    assert.equal((await proxy.talk('AUTH', 'AUTH'))[1], '501 5.5.4 Syntax: AUTH mechanism');
  });

  it('ends the session at its beginning when nobody can be asked', async () => {
    const { server, logins } = start();
    logins.offered = {
      kind: 'unreachable',
      warnings: ['SASL: Connect to Dovecot auth socket failed'],
      fatal: 'no SASL authentication mechanisms',
    };
    assert.equal(await server.connect().reply(), 'closed');
    assert.deepEqual(server.log, [
      'connect from unknown[192.0.2.1]',
      'warning: SASL: Connect to Dovecot auth socket failed',
      'fatal: no SASL authentication mechanisms',
    ]);
  });

  it('at MAIL keeps what it said over a refused command, until RSET', async () => {
    const { server } = start();
    const replies = await server.talk(
      'MAIL FROM:<a@b.example> AUTH=x+2By AUTH=<>',
      'MAIL FROM:<a@b.example>  AUTH=z',
      'RSET',
      'MAIL FROM:<a@b.example> AUTH=<>',
      'RSET',
      'MAIL FROM:<a@b.example> AUTH=',
      'RCPT TO:<b@b.example>',
    );
    assert.deepEqual(replies.slice(0, 2), Array(2).fill('503 5.5.4 Error: multiple AUTH= options'));
    assert.equal(replies[3], '250 2.1.0 Ok');
    assert.ok(server.log.some((line) => line.endsWith('client=unknown[192.0.2.1], sasl_sender=')));
  });

  it('is told of in the trace of a message as a comment that can not be broken out of, or with all of the client hidden', async () => {
    const { server, logins } = start('smtpd_sasl_authenticated_header = yes');
    logins.user = 'a)b(c\\é';
    const trace = async (of: TestServer): Promise<string> => {
      await of.talk('EHLO me', 'AUTH PLAIN Z29vZA==', 'MAIL FROM:<a@b.example>', 'RCPT TO:<b@b.example>', 'DATA', '.');
      const prepend = of.messages[0]?.options.prepend;
      return String(typeof prepend === 'function' ? prepend() : prepend).split(';')[0] ?? '';
    };
    assert.equal(
      await trace(server),
      'Received: from me (unknown [192.0.2.1])\r\n\t(Authenticated sender: a?b(c???)' +
        ')\r\n\tby mail.example.com (Postfix) with ESMTPA id Q1\r\n\tfor <b@b.example>',
    );
    const { server: hidden } = start('smtpd_sasl_authenticated_header = yes\nsmtpd_hide_client_session = yes');
    assert.equal(await trace(hidden), 'Received: by mail.example.com (Postfix) id Q1\r\n\tfor <b@b.example>');
  });
});
