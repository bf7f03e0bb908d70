import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { type Setup, TestServer } from '../conversation.ts';
import { FakeFilter, type FilterScript } from './fake-filter.ts';

const failure = '451 4.3.0 Error: queue file write error';
const envelope = ['EHLO c.example', 'MAIL FROM:<a@b.example> SIZE=9', 'RCPT TO:<x@y.example>'] as const;
const message = ['DATA', 'Subject: s\r\n\r\n..dot\r\n.'] as const;

describe('mail that goes to a filter', () => {
  const servers: TestServer[] = [];
  const filters: FakeFilter[] = [];
  const directories: string[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.remove();
    for (const filter of filters.splice(0)) filter.stop();
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  });

  const serve = (mainCf: string, setup: Setup = {}): TestServer => {
    const server = new TestServer({ ...setup, mainCf });
    servers.push(server);
    return server;
  };
  const filtered = async (
    script: FilterScript = {},
    mainCf = '',
    setup: Setup = {},
  ): Promise<{ readonly server: TestServer; readonly filter: FakeFilter; readonly name: string }> => {
    const filter = new FakeFilter(script);
    filters.push(filter);
    const name = `127.0.0.1:${await filter.listen()}`;
    return { server: serve(`smtpd_proxy_filter = ${name}\n${mainCf}`, setup), filter, name };
  };
  const spoolDirectory = (): string => {
    const directory = mkdtempSync(join(tmpdir(), 'filter-'));
    directories.push(directory);
    mkdirSync(`${directory}/private`);
    return directory;
  };
  const quiet = (line: string): string => line.replace(/; \w{3}, .*$/, '; {date}').replace(/PORT=\d+/, 'PORT={n}');

  it('is passed on as it comes, and answered as the filter answers', async () => {
    const { server, filter } = await filtered();
    const replies = await server.talk(...envelope, ...message);
    assert.equal(replies.at(-1), '250 2.0.0 Ok: filtered');
    await filter.closed();
    assert.deepEqual(filter.heard.map(quiet), [
      '[open]',
      'EHLO mail.example.com',
      'XFORWARD NAME=[UNAVAILABLE] ADDR=192.0.2.1 PORT={n} HELO=c.example IDENT=[UNAVAILABLE] PROTO=ESMTP SOURCE=REMOTE',
      'MAIL FROM:<a@b.example> SIZE=9',
      'RCPT TO:<x@y.example>',
      'DATA',
      'Received: from c.example (unknown [192.0.2.1])',
      '\tby mail.example.com (Postfix) with ESMTP',
      '\tfor <x@y.example>; {date}',
      'Subject: s',
      '',
      '..dot',
      '.',
      'QUIT',
      '[close]',
    ]);
    assert.equal(server.messages.length, 0);
    assert.ok(server.log.includes('NOQUEUE: client=unknown[192.0.2.1]'));
    assert.ok(
      server.log.includes(
        'proxy-accept: END-OF-MESSAGE: 250 2.0.0 Ok: filtered; from=<a@b.example> to=<x@y.example> proto=ESMTP helo=<c.example>',
      ),
    );
  });

  it('is told of with MAIL where smtpd_delay_open_until_valid_rcpt says so', async () => {
    const { server, filter } = await filtered(
      { replies: { MAIL: ['550 5.7.1 not you', '250 ok'] } },
      'smtpd_delay_open_until_valid_rcpt = no',
    );
    const [ehlo, mail] = envelope;
    assert.deepEqual((await server.talk(ehlo, mail, 'RCPT TO:<x@y.example>', mail, 'RSET')).slice(1), [
      '550 5.7.1 not you',
      '503 5.5.1 Error: need MAIL command',
      '250 2.1.0 Ok',
      '250 2.0.0 Ok',
    ]);
    await filter.closed();
    assert.deepEqual(
      filter.heard.filter((line) => line.startsWith('MAIL') || line.startsWith('RCPT')),
      [mail, mail],
    );
  });

  it('is refused where the filter refuses', async () => {
    const { server, name } = await filtered({ replies: { RCPT: ['550-5.1.1 no\r\n550 5.1.1 such', '250 ok'] } });
    const replies = await server.talk(...envelope, 'RCPT TO:<z@y.example>', ...message);
    assert.deepEqual(replies.slice(2), [
      '550-5.1.1 no | 550 5.1.1 such',
      '250 2.1.5 Ok',
      '354 End data with <CR><LF>.<CR><LF>',
      '250 2.0.0 Ok: filtered',
    ]);
    assert.ok(
      server.log.includes(`warning: proxy ${name} rejected "RCPT TO:<x@y.example>": "550-5.1.1 no??550 5.1.1 such"`),
    );
  });

  it('is refused at its end with the words of the filter', async () => {
    const { server } = await filtered({ replies: { end: '550 5.7.1 spam' } });
    const replies = await server.talk(...envelope, ...message);
    assert.equal(replies.at(-1), '550 5.7.1 spam');
    assert.ok(server.log.some((line) => line.startsWith('proxy-reject: END-OF-MESSAGE: 550 5.7.1 spam; from=')));
  });

  it('is put off while there is no filter, or none that makes sense', async () => {
    const gone = serve('smtpd_proxy_filter = unix:/nowhere/filter');
    assert.equal((await gone.talk(...envelope)).at(-1), failure);
    assert.ok(gone.log.includes('warning: connect to proxy filter unix:/nowhere/filter: No such file or directory'));
    for (const replies of [{ greeting: '554 no' }, { EHLO: '502 no' }, { XFORWARD: '550 no' }, { RCPT: 'close' }]) {
      const { server, filter } = await filtered({ replies });
      assert.equal((await server.talk(...envelope)).at(-1), failure, JSON.stringify(replies));
      assert.equal(server.log.filter((line) => line.startsWith('warning: ')).length, 1);
      await filter.closed();
    }
    const { server } = await filtered({ replies: { MAIL: '354 what' } });
    assert.equal((await server.talk(...envelope)).at(-1), failure);
  });

  it('is put off when the filter falls silent', async () => {
    const { server, name } = await filtered({ replies: { end: '250-' } }, 'smtpd_proxy_timeout = 1s');
    assert.equal((await server.talk(...envelope, ...message)).at(-1), failure);
    assert.ok(server.log.includes(`warning: timeout talking to proxy ${name}`));
  });

  it('is put off when the filter goes away in the middle of content', async () => {
    const { server, name } = await filtered({ closesAfterBytes: 100_000 });
    const large = `Subject: s\r\n\r\n${'0123456789\r\n'.repeat(200_000)}.`;
    assert.equal((await server.talk(...envelope, 'DATA', large)).at(-1), failure);
    assert.deepEqual(
      server.log.filter((line) => line.startsWith('warning: ')),
      [`warning: lost connection with proxy ${name}`],
    );
  });

  it('comes to the filter as DATA when the client sends chunks', async () => {
    const { server, filter } = await filtered();
    const replies = await server.talk(...envelope, 'BDAT 7 LAST\r\n.a\r\n.');
    assert.equal(replies.at(-1), '250 2.0.0 Ok: filtered');
    await filter.closed();
    assert.deepEqual(filter.heard.slice(-5), ['..a', '..', '.', 'QUIT', '[close]']);
  });

  it('does not wait for its client with speed_adjust', async () => {
    const directory = spoolDirectory();
    const settings = `smtpd_proxy_options = speed_adjust\nqueue_directory = ${directory}`;
    const { server, filter } = await filtered({}, settings);
    const conversation = server.connect();
    await conversation.reply();
    for (const line of [...envelope, 'DATA']) {
      conversation.send(`${line}\r\n`);
      await conversation.reply();
    }
    const lines = '0123456789\r\n'.repeat(20_000);
    conversation.send(`Subject: s\r\n\r\n${lines}`);
    assert.deepEqual(filter.heard, []);
    conversation.send('.\r\n');
    assert.equal(await conversation.reply(), '250 2.0.0 Ok: filtered');
    conversation.close();
    await filter.closed();
    assert.equal(filter.heard.filter((line) => line === '0123456789').length, 20_000);
    assert.deepEqual(filter.heard.slice(-3), ['.', 'QUIT', '[close]']);
    assert.deepEqual(readdirSync(`${directory}/private`), []);
  });

  it('hears of a refused recipient at its end with speed_adjust', async () => {
    const { server } = await filtered({ replies: { RCPT: '550 5.1.1 nobody' } }, 'smtpd_proxy_options = speed_adjust');
    const replies = await server.talk(...envelope, ...message);
    assert.equal(replies.at(2), '250 2.1.5 Ok');
    assert.equal(replies.at(-1), '550 5.1.1 nobody');
  });

  it('is put off with speed_adjust when it can not be kept', async () => {
    const settings = 'smtpd_proxy_options = speed_adjust\nqueue_directory = /nowhere';
    const { server, filter } = await filtered({}, settings);
    const large = `Subject: s\r\n\r\n${'0123456789\r\n'.repeat(20_000)}.`;
    assert.equal((await server.talk(...envelope, 'DATA', large)).at(-1), failure);
    assert.ok(server.log.includes('warning: proxy speed-adjust log I/O error: No such file or directory'));
    assert.deepEqual(filter.heard, []);
  });

  it('has no station of ours between two filters, and is whose XFORWARD said', async () => {
    const { server, filter } = await filtered({}, 'smtpd_authorized_xforward_hosts = 192.0.2.1');
    const [ehlo, ...rest] = envelope;
    const forward = 'XFORWARD NAME=o.example ADDR=IPV6:2001:db8::7 PORT=9 HELO=h+2Be PROTO=SMTP IDENT=Q7 SOURCE=LOCAL';
    await server.talk(ehlo, forward, ...rest, ...message);
    await filter.closed();
    assert.ok(
      filter.heard.includes(
        'XFORWARD NAME=o.example ADDR=IPv6:2001:db8::7 PORT=9 HELO=h+2Be IDENT=Q7 PROTO=SMTP SOURCE=LOCAL',
      ),
    );
    assert.ok(!filter.heard.some((line) => line.startsWith('Received:')));
  });

  it('gets no end when a last restriction or its size refuses it', async () => {
    const refuse = (stage: string) =>
      stage === 'endOfData'
        ? ({ kind: 'reject', reply: '554 5.7.1 no', hangsUp: false, actions: [] } as const)
        : ({ kind: 'accept', actions: [{ kind: 'prepend', header: 'X-A: b' }] } as const);
    const first = await filtered({}, '', { verdict: refuse });
    assert.equal((await first.server.talk(...envelope, ...message)).at(-1), '554 5.7.1 no');
    await first.filter.closed();
    assert.ok(first.filter.heard.includes('X-A: b'));
    assert.ok(!first.filter.heard.includes('.'));
    const second = await filtered({}, 'message_size_limit = 10');
    assert.equal((await second.server.talk(...envelope, ...message)).at(-1), '552 5.3.4 Error: message file too big');
    await second.filter.closed();
    assert.ok(!second.filter.heard.includes('.'));
  });
});
