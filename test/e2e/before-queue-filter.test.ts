/** A content filter in front of the queue, and the service behind it that takes the mail back. SMTPD_PROXY_README */
import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { freePort, QuickStart } from './support/quick-start.ts';
import { RelayFilter } from './support/relay-filter.ts';
import { SmtpTalk } from './support/smtp-talk.ts';

describe('a before-queue filter', () => {
  let server: QuickStart;
  let filter: RelayFilter;
  let filterPort = 0;
  before(async () => {
    filterPort = await freePort();
    const behind = await freePort();
    filter = new RelayFilter(behind, 'X-Filtered: yes');
    await filter.listen(filterPort);
    server = await QuickStart.start();
    await server.stop();
    writeFileSync(`${server.directory}/etc/header_checks`, '/^Subject: spam/ REJECT we do not want this\n');
    server.command('postconf', [
      '-e',
      `smtpd_proxy_filter = 127.0.0.1:${filterPort}`,
      `header_checks = regexp:${server.directory}/etc/header_checks`,
      'smtpd_authorized_xclient_hosts = 127.0.0.1',
    ]);
    appendFileSync(
      `${server.directory}/etc/master.cf`,
      `127.0.0.1:${behind} inet n - n - - smtpd\n  -o smtpd_proxy_filter= -o smtpd_authorized_xforward_hosts=127.0.0.0/8\n` +
        '  -o receive_override_options=no_unknown_recipient_checks -o syslog_name=postfix/behind\n',
    );
    await server.start();
  });
  after(async () => {
    filter.close();
    await server.remove();
  });

  /** Sends a message as a client elsewhere; gives the last reply. */
  const send = async (to: string, subject: string): Promise<string> => {
    const talk = await SmtpTalk.open(server.port);
    try {
      for (const line of [
        'XCLIENT ADDR=192.0.2.10 NAME=mx.example.net',
        'EHLO mx.example.net',
        'MAIL FROM:<a@example.net>',
        `RCPT TO:<${to}@${server.domain}>`,
        'DATA',
      ]) {
        const answer = await talk.say(line);
        assert.match(answer, /^[23]/, `${line}: ${answer}`);
      }
      return await talk.say(`Subject: ${subject}\r\n\r\n..\r\nbody\r\n.`);
    } finally {
      talk.close();
    }
  };

  for (const options of ['', 'speed_adjust']) {
    const user = options === '' ? 'first' : 'second';
    describe(options === '' ? 'while mail comes' : 'with speed_adjust', () => {
      before(async () => {
        await server.stop();
        server.command('postconf', ['-e', `smtpd_proxy_options = ${options}`]);
        await server.start();
      });

      it('gets the mail, and what it lets through arrives', async () => {
        assert.match(await send(user, 'hello'), /^250 2\.0\.0 Ok: queued as \w+$/);
        const [message = ''] = await server.arrived(user);
        const fields = message.slice(0, message.indexOf('\n\n')).replaceAll(/\n\s/g, ' ').split('\n');
        const received = fields.filter((field) => /^(?:Received|X-Filtered):/.test(field));
        assert.match(received[0] ?? '', /^Received: from \S+ \(localhost \[127\.0\.0\.1\]\) by .* with ESMTP id \w+ /);
        assert.equal(received[1], 'X-Filtered: yes');
        assert.match(
          received[2] ?? '',
          /^Received: from mx\.example\.net \(mx\.example\.net \[192\.0\.2\.10\]\) by \S+ \(\S+\) with ESMTP for <\w+@\S+>; /,
        );
        assert.ok(message.endsWith('\n\n.\nbody\n'), message);
        await server.logged(/smtpd\[\d+\]: NOQUEUE: client=mx\.example\.net\[192\.0\.2\.10\]\n/);
        await server.logged(
          /behind\/smtpd\[\d+\]: \w+: client=localhost\[127\.0\.0\.1\], orig_client=mx\.example\.net\[192\.0\.2\.10\]/,
        );
        await server.logged(
          new RegExp(
            `proxy-accept: END-OF-MESSAGE: 250 2\\.0\\.0 Ok: queued as \\w+; from=<a@example\\.net> to=<${user}@`,
          ),
        );
      });

      it('refuses mail on behalf of the service behind it', async () => {
        assert.equal(await send(user, 'spam'), '550 5.7.1 we do not want this');
        await server.logged('proxy-reject: END-OF-MESSAGE: 550 5.7.1 we do not want this; from=<a@example.net>');
      });
    });
  }
});
