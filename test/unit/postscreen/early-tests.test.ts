import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { Screening, type Setup } from './screening.ts';

describe('postscreen, before the greeting', () => {
  let screening: Screening;
  const start = async (setup: Setup = {}): Promise<void> => {
    screening = await Screening.start(setup);
  };
  const logged = (): readonly string[] =>
    screening.log
      .filter((line) => !/^(?:CONNECT|cache )/.test(line))
      .map((line) => line.replaceAll(' [127.0.0.1]:P', ' C'));
  afterEach(() => screening.stop());

  it('hands a patient client over, and knows it the next time', async () => {
    await start();
    assert.equal(await screening.talk(['NOOP\r\n']), '220-mail.example.com ESMTP\r\n220 served\r\n250 heard NOOP\r\n');
    assert.equal(await screening.talk(['NOOP\r\n']), '220 served\r\n250 heard NOOP\r\n');
    assert.deepEqual(logged(), ['PASS NEW C', 'PASS OLD C']);
    assert.match(
      screening.log.find((line) => line.startsWith('CONNECT')) ?? '',
      /^CONNECT from \[127.0.0.1\]:P to \[127.0.0.1\]:P$/,
    );
  });

  it('sends a client away when something of ours fails', async () => {
    const handOver = (): void => {
      throw new Error('no server');
    };
    await start({ handOver });
    assert.match(await screening.talk([]), /\r\n421 4\.3\.0 Server local error\r\n$/);
    assert.match(logged().join('\n'), /no server/);
    assert.equal(logged().at(-1), 'DISCONNECT C');
  });

  it('ignores the rest of an access list that can not be read', async () => {
    await start({ mainCf: 'postscreen_access_list = inline:{127.0.0.1=fail:y}, fail:x, reject' });
    await screening.talk(['NOOP\r\n']);
    assert.deepEqual(logged(), [
      'warning: table inline:{127.0.0.1=fail:y}: lookup result "fail:y" is not allowed -- ignoring remainder of access list',
      'PASS NEW C',
    ]);
    await screening.stop();
    await start({ mainCf: 'postscreen_access_list = fail:x, reject' });
    await screening.talk(['NOOP\r\n']);
    assert.ok(
      logged().includes(
        'warning: postscreen_access_list: fail:x: table lookup error -- ignoring the remainder of this access list',
      ),
    );
  });

  it('comes to its end once, though it is asked again', async () => {
    await start({ hasCacheFile: true });
    await screening.drained();
    await screening.drained();
    assert.ok(screening.log.every((line) => line.startsWith('cache ')));
  });

  it('leaves what an early talker sent to the server when that is ignored', async () => {
    await start({ greetWaitMs: 10_000 });
    assert.equal(
      await screening.talk([], 'EHLO early\r\n'),
      '220-mail.example.com ESMTP\r\n220 served\r\n250 heard EHLO early\r\n',
    );
    assert.match(logged()[0] ?? '', /^PREGREET 12 after \S+ from C: EHLO early\\r\\n$/);
    assert.equal(logged().length, 1);
  });

  it('keeps an early talker and answers without a second greeting', async () => {
    await start({ mainCf: 'postscreen_greet_action = enforce', greetWaitMs: 10_000 });
    const heard = await screening.talk(['MAIL FROM:<a@b>\r\n', 'RCPT TO:<c@d>\r\n', 'QUIT\r\n'], 'HELO x\r\n');
    assert.equal(
      heard,
      '220-mail.example.com ESMTP\r\n250 mail.example.com\r\n250 2.1.0 Ok\r\n550 5.5.1 Protocol error\r\n221 2.0.0 Bye\r\n',
    );
    assert.deepEqual(logged().slice(1), [
      'NOQUEUE: reject: RCPT from C: 550 5.5.1 Protocol error; from=<a@b>, to=<c@d>, proto=SMTP, helo=<x>',
      'DISCONNECT C',
    ]);
  });

  it('drops an early talker', async () => {
    await start({ mainCf: 'postscreen_greet_action = drop', greetWaitMs: 10_000 });
    assert.equal(await screening.talk([], 'HELO x\r\n'), '220-mail.example.com ESMTP\r\n521 5.5.1 Protocol error\r\n');
  });

  it('says how long a client stayed that hangs up', async () => {
    await start({ greetWaitMs: 10_000 });
    const socket = connect(screening.port, '127.0.0.1');
    await once(socket, 'data');
    socket.destroy();
    await screening.drained();
    assert.match(logged()[0] ?? '', /^HANGUP after \S+ from C in tests before SMTP handshake$/);
    assert.equal(logged()[1], 'DISCONNECT C');
  });

  it('adds up the weights of DNS lists and names the heaviest', async () => {
    await start({
      mainCf:
        'postscreen_dnsbl_sites = a.test*2 b.test=127.0.0.[1..3] c.test=127.0.0.[2;4]*3\n' +
        'postscreen_dnsbl_threshold = 4\npostscreen_dnsbl_action = drop',
      lists: { 'a.test': ['127.0.0.2'], 'b.test': ['127.0.0.4'], 'c.test': ['127.0.0.2', '127.0.0.4'] },
    });
    assert.equal(
      await screening.talk([]),
      '220-mail.example.com ESMTP\r\n521 5.7.1 Service unavailable; client [127.0.0.1] blocked using c.test\r\n',
    );
    assert.deepEqual(logged(), [
      'addr 127.0.0.1 listed by domain a.test as 127.0.0.2',
      'addr 127.0.0.1 listed by domain b.test as 127.0.0.4',
      'addr 127.0.0.1 listed by domain c.test as 127.0.0.2',
      'addr 127.0.0.1 listed by domain c.test as 127.0.0.4',
      'DNSBL rank 5 for C',
      'DISCONNECT C',
    ]);
  });

  it('names the heaviest list also where a lighter one answers while its name is looked up', async () => {
    await start({
      mainCf:
        'postscreen_dnsbl_sites = heavy.test*3 light.test*2\npostscreen_dnsbl_action = drop\n' +
        'postscreen_dnsbl_reply_map = inline:{heavy.test=heavy.shown, light.test=light.shown}',
      lists: { 'heavy.test': ['127.0.0.2'], 'light.test': ['127.0.0.2'] },
    });
    assert.match(await screening.talk([]), /blocked using heavy\.shown\r\n$/);
  });

  it('does not give away a domain that has another name for clients', async () => {
    await start({
      mainCf:
        'postscreen_dnsbl_sites = secret.test\npostscreen_dnsbl_action = drop\n' +
        'postscreen_dnsbl_reply_map = inline:{secret.test=shown.test}',
      lists: { 'secret.test': ['127.0.0.2'] },
    });
    assert.match(await screening.talk([]), /blocked using shown\.test\r\n$/);
  });

  it('lets a client of good repute through at once and spares it all tests', async () => {
    await start({
      mainCf:
        'postscreen_dnsbl_sites = good.test*-2\npostscreen_dnsbl_allowlist_threshold = -2\n' +
        'postscreen_pipelining_enable = yes',
      lists: { 'good.test': ['127.0.0.2'] },
      greetWaitMs: 10_000,
    });
    assert.match(await screening.talk(['NOOP\r\n']), /220 served\r\n250 heard NOOP\r\n$/);
    assert.equal(logged().at(-1), 'PASS NEW C');
  });

  it('says once of connections at the same time that their client is new', async () => {
    await start();
    await Promise.all([1, 2, 3].map(() => screening.talk(['NOOP\r\n'])));
    assert.deepEqual(logged(), ['PASS NEW C', 'PASS OLD C', 'PASS OLD C']);
  });

  it('spares a connection the tests that another one of its client has just passed', async () => {
    await start({ mainCf: 'postscreen_pipelining_enable = yes' });
    let second = '';
    await screening.talk(['EHLO c\r\n', 'NOOP\r\n'], '', async () => {
      second = await screening.talk([]);
    });
    assert.match(second, /^220 /);
  });

  it('forgets a result when its time is over', async () => {
    let now = 1_800_000_000_000;
    await start({ mainCf: 'postscreen_greet_ttl = 1d', now: () => now, greetWaitMs: 0 });
    await screening.talk(['NOOP\r\n']);
    now += 86_400_000;
    assert.match(await screening.talk(['NOOP\r\n']), /^220-/);
    assert.deepEqual(logged(), ['PASS NEW C', 'PASS OLD C']);
  });

  it('asks the permanent list first', async () => {
    await start({ mainCf: 'postscreen_access_list = inline:{127.0.0.1=permit} reject' });
    assert.match(await screening.talk(['NOOP\r\n']), /^220 served/);
    assert.deepEqual(logged(), ['ALLOWLISTED C']);
  });

  it('tells a listed client off as the setting says, with a footer', async () => {
    await start({
      mainCf:
        'postscreen_access_list = inline:{127.0.0.1=reject}\npostscreen_denylist_action = drop\n' +
        'respectful_logging = no\nsmtpd_reject_footer = \\c. Ask $server_name',
    });
    assert.equal(await screening.talk([]), '521 5.3.2 Service currently unavailable. Ask mail.example.com\r\n');
    assert.deepEqual(logged(), ['BLACKLISTED C', 'DISCONNECT C']);
  });

  it('ignores an access list from the word on that it does not know', async () => {
    await start({ mainCf: 'postscreen_access_list = permitt reject' });
    await screening.talk(['NOOP\r\n']);
    assert.deepEqual(logged(), [
      'warning: postscreen_access_list: unknown command: permitt -- ignoring the remainder of this access list',
      'PASS NEW C',
    ]);
  });

  it('gives no admission at addresses that are not for that', async () => {
    await start({ mainCf: 'postscreen_allowlist_interfaces = !127.0.0.1 static:all' });
    assert.match(
      await screening.talk(['HELO x\r\n', 'MAIL FROM:<>\r\n', 'RCPT TO:<a@b>\r\n', 'QUIT\r\n']),
      /450 4\.3\.2 Service currently unavailable\r\n221 2\.0\.0 Bye\r\n$/,
    );
    assert.equal(logged()[0], 'ALLOWLIST VETO C');
    assert.equal(logged().at(-1), 'DISCONNECT C');
    assert.match(await screening.talk(['QUIT\r\n']), /^220-/);
  });

  it('takes only so many connections of a client', async () => {
    await start({ mainCf: 'postscreen_client_connection_count_limit = 1', greetWaitMs: 200 });
    const both = await Promise.all([screening.talk(['NOOP\r\n']), screening.talk([])]);
    assert.ok(both.includes('421 4.7.0 Error: too many connections\r\n'), both.join('|'));
    assert.ok(logged().includes('NOQUEUE: reject: CONNECT from C: too many connections'));
  });

  it('believes a load balancer', async () => {
    await start({ mainCf: 'postscreen_upstream_proxy_protocol = haproxy' });
    await screening.talk(['NOOP\r\n'], 'PROXY TCP4 203.0.113.9 203.0.113.1 1234 25\r\n');
    assert.equal(
      screening.log.find((line) => line.startsWith('CONNECT')),
      'CONNECT from [203.0.113.9]:P to [203.0.113.1]:P',
    );
    assert.equal(await screening.talk([], 'HELO x\r\n'), '421 4.3.2 No system resources\r\n');
  });
});
